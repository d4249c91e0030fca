"""`replan replay`: a recorded branch again without a model, and where it goes another way."""

import asyncio
import gc
import json
import sys
from typing import TYPE_CHECKING

from replan.cli.printable import visible
from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from replan.graphs.replay import Replayed

_MISSING = 5


def replay_thread(thread_id: str, start: str, end: str, as_json: bool) -> int:
    """Replay a thread. Returns the exit code: 0 equal, 1 not."""

    def command() -> int:
        check_thread_id(thread_id)
        done = asyncio.run(_replay(thread_id, start, end))
        if as_json:
            print(json.dumps(done.as_json(), ensure_ascii=False))
        else:
            _print(done)
        return 0 if done.divergence is None else 1

    return at_the_edge(command)


async def _replay(thread_id: str, start: str, end: str) -> "Replayed":
    from replan.graphs.replay import replay
    from replan.storage.checkpoints import id_of_checkpoint, standing_of
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    async with open_persistence(await open_database()) as kept:
        # All is imported: see `replan.cli.main.main`.
        sys.setswitchinterval(0.005)
        gc.freeze()
        gc.enable()
        start = await id_of_checkpoint(kept, thread_id, start)
        end = await id_of_checkpoint(kept, thread_id, end)
        places = [await standing_of(kept, thread_id, one) for one in (start, end) if one]
        namespace = places[0].namespace if places else ""
        return await replay(kept, thread_id, start, end, namespace, tell=_progress())


def _progress() -> "Callable[[int, int], None]":
    """On one line that is written over, at a terminal only."""
    if not sys.stderr.isatty():
        return lambda done, steps: None

    def tell(done: int, steps: int) -> None:
        end = "\n" if done == steps else "\r"
        print(f"step {done} of {steps}", end=end, file=sys.stderr, flush=True)

    return tell


def _print(done: "Replayed") -> None:
    calls = ", ".join(f"{count} {kind} calls" for kind, count in sorted(done.calls.items()))
    taken = f"{calls or 'no calls'} taken from the record"
    outcome = "equal" if done.divergence is None else "NOT equal"
    print(f"{outcome}: {done.steps} steps replayed, with {taken}, in {done.seconds:.1f} s")
    if (found := done.divergence) is not None:
        task = f" (task {found.task})" if found.task else ""
        print(
            f"step {found.step}, {visible(found.node)}{task}, from checkpoint "
            f"{found.checkpoint_id}: {visible(found.what)}"
        )
        for line in found.difference.splitlines():
            print(f"  {visible(line)}")
        if done.missing:
            paths = ", ".join(sorted(done.missing)[:_MISSING])
            more = (
                f" and {len(done.missing) - _MISSING} more" if len(done.missing) > _MISSING else ""
            )
            print(f"No revision holds {visible(paths)}{more}: the replay did without them.")
