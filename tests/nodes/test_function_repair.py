"""Which function is written anew where a test fails, and how it gets into its file."""

from replan.nodes.select_tool.function_repair import (
    Suspect,
    question,
    rewritten,
    same_code,
    suspects,
    tried_in_vain,
)
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


TASK = Task(id="t1", title="mend it")


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
    names = [one.name for one in suspects(task, {"shop.py": CODE}, {"test_shop.py": TEST})]
    return next(iter(names), "")


def test_the_function_that_the_failing_test_is_about() -> None:
    assert found(RATE) == "rate"
    assert found(RAISED) == "rate"
    assert found(f"{CARTS}\n{RATE}") == "Cart.add"
    assert found(CARTS, "Cart.add") == "Cart.__init__"
    assert found(CARTS, "Cart.add", "Cart.__init__") == "rate"
    assert found(f"{CARTS}\n{RATE}", "Cart.add") == "Cart.__init__"


def test_where_nobody_can_tell_none_is() -> None:
    assert found("E   ImportError: cannot import name 'x'") == ""
    assert found(RATE, kind="script_runs") == ""
    assert found("FAILED test_shop.py::test_x\n    assert other() == 2") == ""


def anew(source: str, name: str, answer: str) -> str:
    return rewritten(source, Suspect("shop.py", name, "test_shop.py::test_rate"), answer)


def test_tests_in_classes_and_with_parameters() -> None:
    name = "test_shop.py::test_one[a b]"
    detail = f"1 failed\nFAILED {name}\ntest_shop.py:9: in test_one\n    assert x\nE   x"
    result = CheckResult(check=Check(kind="tests_pass"), passed=False, detail=detail)
    code = "class TestRate:\n    def test_one(self):\n        x = rate('b')\n        assert x\n"
    task = Task(id="t1", title="t", before=[result])
    found = suspects(task, {"shop.py": CODE}, {"test_shop.py": code})
    assert found == [Suspect("shop.py", "rate", name)]


def test_how_an_attempt_is_known_again() -> None:
    assert Suspect("a.py", "f", "test_a.py::test_f").thought == "wrote anew: f in a.py"


def test_a_function_takes_the_place_of_the_old_one() -> None:
    new = "import math\n\ndef rate(kind):\n    return math.floor(RATES.get(kind, 2))\n"
    assert anew(CODE, "rate", new) == CODE.replace(
        '"""Prices."""\n', '"""Prices."""\nimport math\n'
    ).replace("return RATES[kind]", "return math.floor(RATES.get(kind, 2))")


def test_a_method_does_in_its_class_or_without_it() -> None:
    body = "def total(self):\n    return sum(self.items)\n"
    whole = "class Cart:\n    @property\n    def total(self):\n        return sum(self.items)\n"
    better = CODE.replace("return 0", "return sum(self.items)")
    assert anew(CODE, "Cart.total", whole) == better
    assert anew(CODE, "Cart.total", f"@property\n{body}") == better
    assert anew(CODE, "Cart.total", body) == better
    # What else the answer holds of the class stays as it was.
    assert anew(CODE, "Cart.total", f"{whole}\n    def add(self):\n        pass\n") == better


def test_what_the_new_one_calls_comes_with_it() -> None:
    new = "def known(kind):\n    return kind in RATES\n\ndef rate(kind):\n    return known(kind)\n"
    text = anew(CODE, "rate", new)
    assert text.index("def known(kind):") < text.index("def rate(kind):")
    assert text.count("def ") == CODE.count("def ") + 1


def test_what_is_no_such_function_changes_nothing() -> None:
    assert anew(CODE, "rate", "def other():\n    pass\n") == ""
    assert anew(CODE, "rate", "def rate(:\n") == ""
    assert anew(CODE, "rate", "It should be 2.") == ""


def test_what_would_not_run_is_not_written() -> None:
    tabs = "class A:\n\tdef f(self):\n\t\treturn 1\n\n\tx = 1\n"
    assert anew(tabs, "A.f", "class A:\n    def f(self):\n        return 2\n") == ""
    new = "from shop import RATES\n\ndef rate(kind):\n    return RATES.get(kind, 2)\n"
    better = CODE.replace("return RATES[kind]", "return RATES.get(kind, 2)")
    assert anew(CODE, "rate", new) == better
    loose = "def __init__(self):\n    pass\n\ndef test_x():\n    pass\n\n"
    better = anew(CODE, "rate", f"{loose}def rate(kind):\n    return 2\n")
    assert better == CODE.replace("return RATES[kind]", "return 2")


def test_of_an_import_what_is_lacking_comes_with_it() -> None:
    code = "from math import floor\n\n\ndef half(n):\n    return floor(n / 2)\n"
    new = "from math import ceil, floor, sqrt\n\ndef half(n):\n    return ceil(n / 2) or floor(n)\n"
    assert anew(code, "half", new) == (
        "from math import ceil\nfrom math import floor\n\n\n"
        "def half(n):\n    return ceil(n / 2) or floor(n)\n"
    )


def test_the_same_code() -> None:
    assert same_code("def f():\n    return 1  # one\n", "def f():\n\n    return 1\n")
    assert not same_code("for a in b:\n    f()\n    g()\n", "for a in b:\n    f()\ng()\n")


def test_who_failed_once_does_not_see_its_function_again() -> None:
    code = 'def rate(kind):\n    """Of a kind."""\n    return 1\n\n\nX = 1\n'
    one = Suspect("shop.py", "rate", "test_shop.py::test_rate")
    first = str(question(one, code, TASK, {"test_shop.py": TEST}, anew=False)[1].content)
    second = str(question(one, code, TASK, {"test_shop.py": TEST}, anew=True)[1].content)
    assert code in first
    assert '"""Of a kind."""\n    ...\n\n\nX = 1\n' in second
    assert "return 1" not in second
    assert second.count("def test_rate():") == 1
    assert "def test_carts" not in second


def test_an_example_that_fails_names_the_function() -> None:
    texts = ['slug("A b") == "a-b"', 'slug("") raises ValueError']
    checks = [Check(kind="call_gives", path="a.py", text=text) for text in texts]
    failing = CheckResult(check=checks[0], passed=False, detail="it gives 'A-b'")
    code = "import re\n\n\ndef slug(text):\n    return text\n"
    task = Task(id="t1", title="Write slug in a.py.\nMore", checks=checks, before=[failing])
    (one,) = suspects(task, {"a.py": code}, {})
    assert (one.path, one.name, one.said) == ("a.py", "slug", f"{texts[0]}: it gives 'A-b'")
    asked = str(question(one, code, task, {}, anew=False)[1].content)
    assert "What is wanted: Write slug in a.py.\n" in asked
    assert f"assert {texts[0]}\n{texts[1]}\n" in asked
    assert suspects(task, {"a.py": "x = 1\n"}, {}) == []
    assert suspects(task, {"b.py": code}, {}) == []


def test_what_it_makes_no_use_of_is_told() -> None:
    code = "class A:\n    def f(self, page, items, _x=1):\n        return page\n\n\n"
    code += "def g(b, *, c):\n    b(c)\n"

    def asked(name: str, *, anew: bool = False) -> str:
        one = Suspect("a.py", name, "test_a.py::test_f", "1 != 2")
        return str(question(one, code, TASK, {}, anew=anew)[1].content)

    assert "\n1 != 2\n\nIt has made no use of items.\n\nWrite A.f anew" in asked("A.f")
    assert "no use of items" in asked("A.f", anew=True)
    assert "\n1 != 2\n\nWrite g anew" in asked("g")


def test_who_is_asked_for_another_test_sees_what_it_wrote() -> None:
    def failing(*names: str) -> CheckResult:
        said = "".join(f"FAILED test_a.py::{name}\nE   assert 1 == 2\n" for name in names)
        check = Check(kind="tests_pass", path="test_a.py")
        return CheckResult(check=check, passed=False, detail=f"{len(names)} failed\n{said}")

    wrote = Attempt(
        action=Action(tool="write_file", thought="wrote anew: f in a.py"),
        observation=Observation(ok=True),
        evidence=[failing("test_two", "test_three")],
    )
    task = Task(id="t1", title="t", before=[failing("test_one", "test_two")], attempts=[wrote])

    def in_vain(test: str, name: str = "f") -> bool:
        return tried_in_vain(Suspect("a.py", name, f"test_a.py::{test}"), task)

    assert in_vain("test_two")
    assert not in_vain("test_three")
    assert not in_vain("test_two", "g")


def test_what_would_have_to_be_called_otherwise_is_not_taken() -> None:
    one = Suspect("a.py", "f", "test_a.py::test_f", "assert 1 == 2")
    code = "def f(a, b=[]):\n    return a\n"
    assert rewritten(code, one, "def f(a, b=None):\n    return b\n") != ""
    assert rewritten(code, one, "def f(a, c, b):\n    return b\n") == ""
    asks = Suspect("a.py", "f", "test_a.py::test_f", "TypeError: f() takes 2 arguments")
    assert rewritten(code, asks, "def f(a, c, b):\n    return b\n") != ""
