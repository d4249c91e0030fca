"""`replan run` and `replan resume`."""

import asyncio
import contextlib
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replan.cli.printable import json_line, visible
from replan.cli.settle import INTERRUPTED, at_the_edge, complain, context_from
from replan.cli.settle import Errand as Errand
from replan.graphs.known import AGENT
from replan.models.chat import warm_up
from replan.state.approval import Answer
from replan.state.context import Context
from replan.state.errors import ReplanError, UsageError
from replan.state.goal import check_goal
from replan.storage.database import warm_up_database

if TYPE_CHECKING:
    from replan.cli.session import Session

EXIT_CODES = {"done": 0, "failed": 1, "stopped": 1, "waiting": 3}
FROM_STANDARD_INPUT = "-"
_MOST_READ = 4_000_000
_SHOWN_MEMORIES = 20


def run_goal(
    goal: str, thread_id: str | None, given: dict[str, Any], as_json: bool, graph: str = AGENT
) -> int:
    """Run a goal to its end; the goal `-` is read from standard input. Returns the exit code.

    Args:
        goal: what is to be reached.
        thread_id: of the thread; None for a new one.
        given: from `overrides`.
        as_json: print one JSON object.
        graph: name of the graph that runs it.
    """
    errand = Errand(thread_id or new_thread_id())

    def command() -> int:
        checked = check_goal(standard_input() if goal == FROM_STANDARD_INPUT else goal)
        warm_up_database()
        warm_up(str(given.get("model", "auto")))
        context = context_from(given)
        check_thread_id(errand.thread_id)
        return until_interrupted(errand, lambda: _run(errand, checked, context, as_json, graph))

    return at_the_edge(command, errand)


@dataclass(frozen=True)
class Reply:
    """The answer to a call that waits, as the options of `replan resume` give it."""

    approve: bool = False
    reject: str | None = None
    edit: str | None = None
    interrupt_id: str | None = None


def resume_thread(thread_id: str, given: dict[str, Any], as_json: bool, reply: Reply) -> int:
    """Go on with a thread. Returns the exit code."""
    errand = Errand(thread_id)

    def command() -> int:
        from replan.cli.approval import answer_from

        check_thread_id(thread_id)
        answer = answer_from(reply.approve, reply.reject, reply.edit)
        if answer is None and reply.interrupt_id is not None:
            raise UsageError("--interrupt names a call.", "Give --approve, --reject or --edit too.")
        return until_interrupted(
            errand, lambda: _resume(errand, given, as_json, answer, reply.interrupt_id)
        )

    return at_the_edge(command, errand)


def new_thread_id() -> str:
    """A UUID: what the LangGraph server takes as the id of a thread."""
    return str(uuid.uuid4())


def check_thread_id(thread_id: str) -> None:
    """A thread's id also names its folder, and the server takes only UUIDs.

    Raises:
        UsageError: it is no UUID.
    """
    try:
        uuid.UUID(thread_id)
    except ValueError as error:
        raise UsageError(
            f"a thread's id is a UUID, not {thread_id[:60]!r}.",
            "Leave --thread out for a new one; `replan threads` lists what there is.",
        ) from error


def standard_input() -> str:
    """What is piped in, as text: one argument can hold 128 KB at most."""
    return sys.stdin.buffer.read(_MOST_READ).decode("utf-8", "surrogateescape")


def until_interrupted(errand: Errand, start: Callable[[], Awaitable[int]]) -> int:
    """Run to the end, or in good order to where Ctrl-C or SIGTERM ends it."""

    async def main() -> int:
        this = asyncio.current_task()
        assert this is not None
        with contextlib.suppress(NotImplementedError):  # where there are no such signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
        return await start()

    try:
        return asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        said = "replan: interrupted before the run began."
        if errand.begun:
            resume = f"Resume with: replan resume {errand.thread_id}"
            said = f"replan: interrupted; nothing is lost. {resume}"
        print(said, file=sys.stderr)
        return INTERRUPTED


async def _run(errand: Errand, goal: str, context: Context, as_json: bool, graph: str) -> int:
    from replan.cli.session import session

    async with session(errand.thread_id, context, as_json, name=graph) as run:
        before = await run.snapshot()
        if before.next:
            raise UsageError(
                f"the thread {errand.thread_id} is in the middle of a run.",
                f"Go on with: replan resume {errand.thread_id}",
            )
        return await finish(errand, run, goal, as_json)


async def _resume(
    errand: Errand,
    given: dict[str, Any],
    as_json: bool,
    answer: Answer | None,
    interrupt_id: str | None,
) -> int:
    from replan.cli.approval import addressed
    from replan.cli.restore import bring_back_workspace
    from replan.cli.session import session

    async with session(errand.thread_id, context_from(given), as_json, resumed=True) as run:
        context = context_from(given, await run.kept_context())
        answers = None
        if answer is not None:
            answers = addressed(await run.waiting(), answer, interrupt_id)
        result = await run.result()
        if result["status"] == "done" and not (await run.snapshot()).next:
            return _show(result, as_json)
        await run.take_up(context)
        await bring_back_workspace(run.graph, await run.snapshot(), run.view.progress)
        await run.reopen()
        return await finish(errand, run, "", as_json, answers)


async def finish(
    errand: Errand,
    run: "Session",
    goal: str,
    as_json: bool,
    answers: dict[str, dict[str, Any]] | None = None,
) -> int:
    """Run the thread to its end, or to a question that nobody answers here; show what came of it.

    Args:
        errand: what this process is for.
        run: the thread.
        goal: what is to be reached; "" goes on from the latest checkpoint.
        as_json: print one JSON object.
        answers: to calls that wait, by the interrupt's id.
    """
    from replan.cli.approval import ask, can_ask, how_to_go_on

    errand.begun = True
    try:
        await run.go(goal, answers)
        while (waiting := await run.waiting()) and can_ask():
            await run.go("", ask(waiting))
    except ReplanError as error:
        if error.exit_code != 1 and not as_json:
            raise
        result = await _result_of(run, error)
        complain(error, errand)
        _show({**result, "status": "failed", "report": error.what}, as_json)
        return error.exit_code
    code = _show(await run.result(), as_json)
    if waiting:
        print(how_to_go_on(run.thread_id, waiting), file=sys.stderr)
    return code


async def _result_of(run: "Session", error: ReplanError) -> dict[str, Any]:
    """What the run came to before the error; where not even that can be read, the error itself."""
    try:
        return await run.result()
    except Exception:
        raise error from None


def _show(result: dict[str, Any], as_json: bool) -> int:
    if as_json:
        print(json_line(result))
    else:
        if report := result["report"]:
            print(visible(report) if sys.stdout.isatty() else report)
        tell_where(result)
    return EXIT_CODES[result["status"]]


def tell_where(result: dict[str, Any]) -> None:
    """The memories used and made, the files and the counts, on standard error."""
    from replan.cli.memory_lines import of_a_run

    usage = result["usage"]
    for line in of_a_run(result.get("memories"))[:_SHOWN_MEMORIES]:
        print(f"  {line}", file=sys.stderr)
    for artifact in result["artifacts"][:20]:
        print(f"  {artifact['change']}: {visible(artifact['path'])}", file=sys.stderr)
    cost = "" if usage["cost_usd"] is None else f", {usage['cost_usd']:.4f} USD"
    print(
        f"{result['status']}: {usage['steps']} steps, {usage['model_calls']} model calls, "
        f"{usage['input_tokens']} + {usage['output_tokens']} tokens{cost}, "
        f"{usage['seconds']:.0f} s, in {visible(result['workspace'])}",
        file=sys.stderr,
    )
    if result["status"] not in ("done", "waiting"):
        print(f"Go on with: replan resume {result['thread_id']}", file=sys.stderr)
