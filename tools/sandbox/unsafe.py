"""No sandbox: an ordinary process with limits. Only for who asks for it by name."""

from collections.abc import Sequence

from replan.tools.sandbox.local import LocalSandbox, Place, Plan


class Unsafe(LocalSandbox):
    """The child has the rights of the user, and can read and write what the user can."""

    name = "unsafe"
    escapes = True

    def missing(self) -> str:
        """Nothing."""
        return ""

    def probe(self) -> str:
        """It confines nothing, so there is nothing to try."""
        return ""

    def confine(self, command: Sequence[str], place: Place) -> Plan:
        """As it is."""
        return Plan(command)
