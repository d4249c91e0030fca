"""Whether every task can be judged: the reference solution passes, and nothing less does.

    .venv/bin/python benchmarks/check_tasks.py [GLOB]

Prints what is wrong, a line each, and exits 1 when there is anything.
"""

import fnmatch
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from task_files import Task, judge, load_tasks, make_workspace, solve

LEAST_TASKS = 60
LEAST_CATEGORIES = 10


def check_suite(tasks: list[Task]) -> list[str]:
    """What is wrong with the suite as a whole: how many tasks, and how they are split."""
    wrong = []
    splits: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        splits[task.category].add(task.split)
    if len(tasks) < LEAST_TASKS:
        wrong.append(f"{len(tasks)} tasks, fewer than {LEAST_TASKS}")
    if len(splits) < LEAST_CATEGORIES:
        wrong.append(f"{len(splits)} categories, fewer than {LEAST_CATEGORIES}")
    for at, task in enumerate(tasks):
        # Every third by category and name: nobody chose which.
        if task.split != ("holdout" if at % 3 == 2 else "dev"):
            wrong.append(f"{task.id} is {task.split}, against the rule")
    wrong += [f"{name} has one split alone" for name, of in splits.items() if len(of) < 2]
    if len({task.goal for task in tasks}) < len(tasks):
        wrong.append("two tasks have the same goal")
    return wrong


def check_task(task: Task) -> list[str]:
    """What is wrong with one task. Blocks for some processes' time."""
    try:
        with tempfile.TemporaryDirectory(prefix="task-") as name:
            return [f"{task.id}: {one}" for one in _wrong(task, Path(name))]
    except (RuntimeError, OSError) as error:
        return [f"{task.id}: {error}"]


def check_all(tasks: list[Task]) -> list[str]:
    """What is wrong with the suite and each of its tasks, several at once."""
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        return check_suite(tasks) + [one for found in pool.map(check_task, tasks) for one in found]


def _wrong(task: Task, folder: Path) -> Iterator[str]:
    untouched, solved, empty = folder / "untouched", folder / "solved", folder / "empty"
    empty.mkdir()
    make_workspace(task, untouched)
    make_workspace(task, solved)
    solve(task, solved)
    if said := judge(task, solved):
        yield f"the reference solution fails: {said}"
        return
    if not judge(task, untouched):
        yield "the untouched workspace passes"
    if not judge(task, empty):
        yield "an empty workspace passes"
    made = [path for path in _files(solved) if _differs(path, solved, untouched)]
    if not made and _files(solved) == _files(untouched):
        yield "the reference solution changes no file"
    # Where the task is to delete some files, those that stay are the essential ones.
    for at, path in enumerate((made or _files(solved))[:3]):
        part = folder / f"without{at}"
        shutil.copytree(solved, part)
        (part / path).unlink()
        if at == 0:
            (part / path).touch()
        if not judge(task, part):
            yield f"passes with {path} {'removed' if at else 'emptied'}"


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _differs(path: Path, solved: Path, untouched: Path) -> bool:
    before = untouched / path
    return not before.is_file() or before.read_bytes() != (solved / path).read_bytes()


def main() -> None:
    """Check the tasks whose id matches a pattern; without one, the whole suite."""
    tasks = load_tasks()
    if len(sys.argv) > 1:
        chosen = [task for task in tasks if fnmatch.fnmatch(task.id, sys.argv[1])]
        wrong = [one for task in chosen for one in check_task(task)]
        print(f"{len(chosen)} tasks")
    else:
        wrong = check_all(tasks)
        print(f"{len(tasks)} tasks")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
