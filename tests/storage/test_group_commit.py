import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from psycopg import DataError, OperationalError

from replan.storage.database import open_database
from replan.storage.group_commit import GroupCommit, Put, Statement
from replan.storage.persistence import Persistence, open_persistence

PUTS = 30


class Watched(GroupCommit):
    """Knows what was written together and what alone; waits with the first until told."""

    def __init__(self, kept: Persistence) -> None:
        super().__init__(kept.pool, self._watched_alone)
        self._kept: Any = kept.saver
        self.together: list[int] = []
        self.alone = 0
        self.go_on = asyncio.Event()

    async def _write_together(self, puts: list[Put]) -> None:
        self.together.append(len(puts))
        await self.go_on.wait()
        await super()._write_together(puts)

    async def _watched_alone(self, statements: list[Statement]) -> None:
        self.alone += 1
        await self._kept._write_alone(statements)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Any, Watched]]:
    async with open_persistence(await open_database()) as kept:
        commits = Watched(kept)
        saver: Any = kept.saver
        saver._commits = commits
        yield saver, commits


def made(saver: Any, said: Any = "x") -> tuple[str, Checkpoint]:
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"said": said, "blob": [said]}
    checkpoint["channel_versions"] = {"blob": "1"}
    return str(uuid.uuid4()), checkpoint


def put(saver: Any, thread: str, checkpoint: Checkpoint) -> "asyncio.Task[Any]":
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    return asyncio.create_task(
        saver.aput(config, checkpoint, {"source": "loop", "step": 1}, {"blob": "1"})
    )


async def there(saver: Any, thread: str) -> Any:
    return await saver.aget_tuple({"configurable": {"thread_id": thread}})


async def all_wait(commits: Watched, count: int) -> None:
    async with asyncio.timeout(10):
        while sum(commits.together[:1]) + len(commits._waiting) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_what_is_put_during_a_commit_is_written_in_the_next() -> None:
    async with watched() as (saver, commits):
        all_made = [made(saver, f"said {number}") for number in range(PUTS)]
        tasks = [put(saver, *all_made[0])]
        await all_wait(commits, 1)
        tasks += [put(saver, *one) for one in all_made[1:]]
        await all_wait(commits, PUTS)
        assert not any(task.done() for task in tasks), "told before it is on the disk"
        commits.go_on.set()
        await asyncio.gather(*tasks)
        assert commits.together == [1, PUTS - 1]
        assert commits.alone == 0
        for thread, checkpoint in all_made:
            assert (await there(saver, thread)).checkpoint == checkpoint


async def test_one_that_cannot_be_written_fails_alone() -> None:
    async with watched() as (saver, commits):
        good, bad, other = made(saver), made(saver, "\0"), made(saver)
        tasks = [put(saver, *one) for one in (good, bad, other)]
        commits.go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[1], DataError), found
        assert [await there(saver, one[0]) is not None for one in (good, bad, other)] == [
            True,
            False,
            True,
        ]


async def test_the_same_checkpoint_twice_at_once_is_written() -> None:
    async with watched() as (saver, commits):
        one = made(saver)
        tasks = [put(saver, *one) for _ in range(3)]
        await all_wait(commits, 3)
        commits.go_on.set()
        await asyncio.gather(*tasks)
        assert (await there(saver, one[0])).checkpoint == one[1]


async def test_writes_of_a_task_are_kept_once() -> None:
    async with watched() as (saver, commits):
        commits.go_on.set()
        thread, checkpoint = made(saver)
        config = await put(saver, thread, checkpoint)
        for said in ("first", "second"):
            await saver.aput_writes(config, [("said", said), ("more", [said])], "task")
        found = (await there(saver, thread)).pending_writes
        assert found == [("task", "said", "first"), ("task", "more", ["first"])]


async def test_what_is_cancelled_is_not_written_later() -> None:
    async with watched() as (saver, commits):
        begun, waiting, other = made(saver), made(saver), made(saver)
        tasks = [put(saver, *begun)]
        await all_wait(commits, 1)
        tasks += [put(saver, *waiting), put(saver, *other)]
        await all_wait(commits, 3)
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.sleep(0.01)
        assert not tasks[0].done(), "its rows are on the way"
        commits.go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in found] == [True, True, False]
        assert await there(saver, waiting[0]) is None
        assert await there(saver, other[0]) is not None


async def test_without_a_server_every_put_fails() -> None:
    async with watched() as (saver, commits):
        tasks = [put(saver, *made(saver)) for _ in range(3)]
        await all_wait(commits, 3)
        await saver.conn.close()
        commits.go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, OperationalError) for one in found), found
        assert commits.alone == 0


async def test_a_thread_is_deleted() -> None:
    async with watched() as (saver, commits):
        commits.go_on.set()
        thread, checkpoint = made(saver)
        await put(saver, thread, checkpoint)
        await saver.adelete_thread(thread)
        assert await there(saver, thread) is None
        assert commits.alone == 1
