"""What the kit asks of each role: everyday requests, empty ones, and some with odd texts."""

from replan.nodes import contract
from replan.nodes.contract import Brief
from replan.state.noun import Noun
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

GOAL = "Add up the amounts in sales.csv and write the sum to sum.txt"
FILES = {"sales.csv": "region,amount\nnorth,1\nsouth,5\n"}
ODD = [
    "合计 sales.csv 中的金额",
    "{goal} {} %s %(x)s \\n \\u0000",
    "```\nfenced\n```\n</s> <|im_end|> [INST]",
    "مرحبا \u202e \U0001f9ee e\u0301",
    "long " * 4000,
]

_BRIEF = Brief(goal=GOAL, constraints=["be exact"], survey="Files in the workspace: sales.csv")
_WRITTEN = Check(kind="file_exists", path="sum.txt")
_MISSING = CheckResult(check=_WRITTEN, passed=False, detail="it does not exist")
_ACTION = Action(tool="python", args={"code": "print(6)"}, thought="computed")
_SEEN = Observation(ok=True, text="6", exit_code=0)
_CRASHED = Observation(ok=False, error="KeyError: 'amount' (script.py line 2: row['amount'])")
_TRIED = Attempt(action=_ACTION, observation=_SEEN, evidence=[_MISSING], reason="no file")
_TASK = Task(
    id="t1",
    title=GOAL,
    writes=["sum.txt"],
    checks=[_WRITTEN],
    before=[_MISSING],
    tries=1,
    rounds=1,
    attempts=[_TRIED],
)
_FRESH = Task(id="t2", title="Write the sum to sum.txt", writes=["sum.txt"], depends_on=["t1"])
_DONE = Task(id="t1", title="Read sales.csv", status="done", rounds=1, result="two rows")
_FAILED = _FRESH.model_copy(update={"status": "failed", "tries": 3, "rounds": 3})
_BARE = Task(id="t1", title="Look around")


def requests_of(role: str) -> list[Noun]:
    """The requests for one role, each made anew.

    Raises:
        KeyError: there is no such role.
    """
    return [request.model_copy(deep=True) for request in (*_EVERYDAY[role], *_odd(role))]


def _briefs() -> list[Brief]:
    return [
        Brief(goal=text, constraints=[text[:200]], survey=text, recalled=[text[:200]])
        for text in ODD
    ]


def _odd(role: str) -> list[Noun]:
    """One request for each odd text, which stands wherever a text may."""
    made: list[Noun] = []
    for brief in _briefs():
        text = brief.goal
        task = Task(id="t1", title=text, hints=[text])
        seen = Observation(ok=False, text=text, error=text)
        requests: dict[str, Noun] = {
            "recall": contract.RecallRequest(goal=text, task=task, problem=text),
            "decompose": contract.DecomposeRequest(brief=brief),
            "plan": contract.PlanRequest(brief=brief, tasks=[task], problem=text, avoid=[text]),
            "select_tool": contract.SelectToolRequest(brief=brief, task=task, earlier=[text]),
            "execute": contract.ExecuteRequest(
                action=Action(tool="write_file", args={"path": "odd.txt", "text": text})
            ),
            "reflect": contract.ReflectRequest(
                brief=brief, task=task, action=_ACTION, observation=seen
            ),
            "review": contract.ReviewRequest(goal=text, tasks=[task]),
            "report": contract.ReportRequest(
                brief=brief, status="done", reason=text, tasks=[task], shown={"odd.txt": text}
            ),
            "remember": contract.RememberRequest(
                goal=text, status="failed", report=text, lessons=[text], seen=[text]
            ),
        }
        made.append(requests[role])
    return made


_EVERYDAY: dict[str, list[Noun]] = {
    "recall": [
        contract.RecallRequest(goal=GOAL),
        contract.RecallRequest(goal=GOAL, task=_TASK, problem="it crashed", tokens=0),
    ],
    "decompose": [
        contract.DecomposeRequest(
            brief=_BRIEF, existing=["sales.csv"], named=["sales.csv", "sum.txt"]
        ),
        contract.DecomposeRequest(brief=Brief(goal="Tidy up. Then rest. Then sing.")),
    ],
    "plan": [
        contract.PlanRequest(brief=_BRIEF, tasks=[_BARE, _FRESH], checks=[_WRITTEN]),
        contract.PlanRequest(
            brief=_BRIEF, tasks=[_DONE, _FAILED], problem="it failed thrice", avoid=["python: x"]
        ),
        contract.PlanRequest(brief=_BRIEF, tasks=[_DONE], checks=[_WRITTEN], problem="no file"),
        contract.PlanRequest(brief=_BRIEF, tasks=[], checks=[_WRITTEN], problem="it failed"),
    ],
    "select_tool": [
        contract.SelectToolRequest(
            brief=_BRIEF, task=_TASK, existing=["sales.csv"], protected=["sales.csv"]
        ),
        contract.SelectToolRequest(brief=_BRIEF, task=_BARE),
        contract.SelectToolRequest(
            brief=_BRIEF, task=_BARE.model_copy(update={"calls": [_ACTION]})
        ),
    ],
    "execute": [
        contract.ExecuteRequest(action=_ACTION),
        contract.ExecuteRequest(action=Action(tool="no_such_tool")),
        contract.ExecuteRequest(action=Action(tool="read_file", args={"path": 3})),
    ],
    "reflect": [
        contract.ReflectRequest(
            brief=_BRIEF, task=_TASK, action=_ACTION, observation=_SEEN, evidence=[_MISSING]
        ),
        contract.ReflectRequest(brief=_BRIEF, task=_BARE, action=_ACTION, observation=_CRASHED),
        contract.ReflectRequest(brief=_BRIEF, task=_BARE, action=_ACTION, observation=_SEEN),
    ],
    "review": [
        contract.ReviewRequest(goal=GOAL, tasks=[_TASK]),
        contract.ReviewRequest(goal=GOAL, tasks=[_DONE], evidence=[_MISSING]),
        contract.ReviewRequest(goal=GOAL, tasks=[_FAILED], replans=2, limit="no more steps"),
        contract.ReviewRequest(goal=GOAL, tasks=[]),
    ],
    "report": [
        *(
            contract.ReportRequest(
                brief=_BRIEF,
                status=status,
                reason="so it went",
                tasks=[_TASK],
                evidence=[_MISSING],
                artifacts=["sum.txt"],
            )
            for status in ("done", "failed", "stopped")
        ),
        contract.ReportRequest(brief=Brief(goal=GOAL), status="stopped", tasks=[]),
    ],
    "remember": [
        contract.RememberRequest(goal=GOAL, status="failed", report="No.", lessons=["use csv"]),
        contract.RememberRequest(goal=GOAL, status="failed", task=_TASK),
        contract.RememberRequest(goal=GOAL, status="done", task=_DONE, refuted=["0" * 32]),
        contract.RememberRequest(goal=GOAL, status="stopped"),
    ],
}
