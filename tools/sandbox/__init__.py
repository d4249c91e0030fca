"""Where code written by a model runs: one interface, several back ends, fail-closed choice.

A back end is a subclass of `local.LocalSandbox` that says how a command is confined (`confine`)
and why it cannot work here (`missing`); supervision, limits, sessions and the canary probe are
shared. One that does not start a local process implements the `Sandbox` and `Session` protocols
of `protocol` itself. Either way it is added to `choose.BACK_ENDS`, and the attacks in
tests/tools/sandbox run over it. docs/sandbox.md says more.
"""
