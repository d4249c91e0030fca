"""Which function is written anew where a test fails, and how it gets into its file."""

from replan.nodes.select_tool.function_repair import Suspect, rewritten, suspect
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

CODE = '''"""Prices."""

RATES = {"a": 1}


def rate(kind):
    return RATES[kind]


class Cart:
    def __init__(self, items=[]):
        self.items = items

    @property
    def total(self):
        return 0

    def add(self, kind):
        self.items.append(rate(kind))
'''
TEST = """from shop import Cart, rate


def test_rate():
    assert rate("b") == 2


def test_carts():
    one, two = Cart(), Cart()
    one.add("a")
    assert two.items == []
"""
RATE = """FAILED test_shop.py::test_rate
test_shop.py:5: in test_rate
    assert rate("b") == 2
E   assert 1 == 2"""
RAISED = """FAILED test_shop.py::test_rate
test_shop.py:5: in test_rate
    assert rate("b") == 2
shop.py:7: in rate
    return RATES[kind]
E   KeyError: 'b'"""
CARTS = """FAILED test_shop.py::test_carts
test_shop.py:11: in test_carts
    assert two.items == []
E   assert [1] == []"""


def found(detail: str, *tried: str, kind: str = "tests_pass") -> str:
    result = CheckResult(
        check=Check.model_validate({"kind": kind, "path": "test_shop.py"}),
        passed=False,
        detail=f"1 failed\n{detail}",
    )
    attempts = [
        Attempt(
            action=Action(tool="write_file", thought=f"wrote anew: {name} in shop.py"),
            observation=Observation(ok=True),
            evidence=[result],
        )
        for name in tried
    ]
    task = Task(id="t1", title="t", before=[result], attempts=attempts)
    one = suspect(task, {"shop.py": CODE}, {"test_shop.py": TEST})
    return one.name if one else ""


def test_the_function_that_the_failing_test_is_about() -> None:
    assert found(RATE) == "rate"
    assert found(RAISED) == "rate"
    assert found(f"{CARTS}\n{RATE}") == "Cart.add"
    assert found(CARTS, "Cart.add") == "Cart.__init__"
    assert found(CARTS, "Cart.add", "Cart.__init__") == "Cart.add"


def test_where_nobody_can_tell_none_is() -> None:
    assert found("E   ImportError: cannot import name 'x'") == ""
    assert found(RATE, kind="script_runs") == ""
    assert found("FAILED test_shop.py::test_x\n    assert other() == 2") == ""


def test_how_an_attempt_is_known_again() -> None:
    assert Suspect("a.py", "f", "test_a.py::test_f").thought == "wrote anew: f in a.py"


def test_a_function_takes_the_place_of_the_old_one() -> None:
    new = "import math\n\ndef rate(kind):\n    return math.floor(RATES.get(kind, 2))\n"
    assert rewritten(CODE, "rate", new) == CODE.replace(
        '"""Prices."""\n', '"""Prices."""\nimport math\n'
    ).replace("return RATES[kind]", "return math.floor(RATES.get(kind, 2))")


def test_a_method_does_in_its_class_or_without_it() -> None:
    body = "def total(self):\n    return sum(self.items)\n"
    whole = "class Cart:\n    @property\n    def total(self):\n        return sum(self.items)\n"
    better = CODE.replace("return 0", "return sum(self.items)")
    assert rewritten(CODE, "Cart.total", whole) == better
    assert rewritten(CODE, "Cart.total", f"@property\n{body}") == better
    assert rewritten(CODE, "Cart.total", body) == better
    # What else the answer holds of the class stays as it was.
    assert rewritten(CODE, "Cart.total", f"{whole}\n    def add(self):\n        pass\n") == better


def test_what_the_new_one_calls_comes_with_it() -> None:
    new = "def known(kind):\n    return kind in RATES\n\ndef rate(kind):\n    return known(kind)\n"
    text = rewritten(CODE, "rate", new)
    assert text.index("def known(kind):") < text.index("def rate(kind):")
    assert text.count("def ") == CODE.count("def ") + 1


def test_what_is_no_such_function_changes_nothing() -> None:
    assert rewritten(CODE, "rate", "def other():\n    pass\n") == ""
    assert rewritten(CODE, "rate", "def rate(:\n") == ""
    assert rewritten(CODE, "rate", "It should be 2.") == ""
