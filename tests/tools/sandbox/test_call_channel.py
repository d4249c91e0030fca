"""Attacks on the way by which code calls tools: it is bounded, held to its form, and leaks nothing.

Each runs in the real sandbox, against the real toolbox.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from replan.state.task import Action, Observation
from replan.tools.sandbox.call_channel import Answer, Function, call_channel
from replan.tools.sandbox.protocol import Confinement
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace, open_workspace

SANDBOXES = ("bubblewrap", "landlock")

# Finds the descriptor as an attacker would, and speaks on it without the functions.
FIND = """\
import json, os, stat
def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
handle = next(fd for fd in range(3, 256) if is_socket(fd))
def send(data, length=None):
    head = (len(data) if length is None else length).to_bytes(4, 'little')
    os.write(handle, head + data)
def answer():
    size = int.from_bytes(os.read(handle, 4), 'little')
    return json.loads(os.read(handle, size)) if size else None
"""


@pytest.fixture(params=SANDBOXES)
def confinement(request: pytest.FixtureRequest) -> Confinement:
    return Confinement(request.param)


@pytest.fixture
def folder(tmp_path: Any) -> Workspace:
    return open_workspace(tmp_path / "work", create=True)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def attack(folder: Workspace, confinement: Confinement, code: str, **how: Any) -> Observation:
    toolbox = Toolbox(folder, seconds_per_call=20, confinement=confinement)
    return await toolbox.call(Action(tool="code_action", args={"code": FIND + code}), **how)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("b'{'", "it is no JSON"),
        ("b'\\xff\\xfe'", "it is no JSON"),
        ("b''", "it is no JSON"),
        ("b'[]'", "valid dictionary"),
        ("b'null'", "valid dictionary"),
        ('b\'{"tool": "list_files"}\'', "args: Field required"),
        ('b\'{"tool": 3, "args": {}}\'', "tool: Input should be a valid string"),
        ('b\'{"tool": "list_files", "args": []}\'', "args: Input should be a valid dict"),
        ('b\'{"tool": "list_files", "args": {}, "approved": true}\'', "approved: Extra"),
        ('b\'{"tool": "list_files", "args": {"a": NaN}}\'', "it is no JSON"),
        ("b'[' * 100000", "too deep"),
        ('b\'{"tool": "x", "args": {"a": \' + b\'9\' * 100000 + b\'}}\'', "it is no JSON"),
    ],
)
async def test_a_message_that_is_no_call_ends_the_channel(
    folder: Workspace, confinement: Confinement, message: str, why: str
) -> None:
    code = (
        f"send({message})\n"
        "print('left:', answer())\n"
        "try:\n    list_files()\nexcept ToolError as error:\n    print(error)"
    )
    seen = await attack(folder, confinement, code)
    assert seen.ok, seen.error
    assert "left: None\ntools cannot be called any more\n" in seen.text
    assert "The code could call no more tools: a message is no call: " in seen.text
    assert why in seen.text
    assert seen.calls == 0


async def test_a_huge_message_is_not_read(folder: Workspace, confinement: Confinement) -> None:
    code = "send(b'', length=2**32 - 1)\nprint('left:', answer())"
    seen = await attack(folder, confinement, code)
    assert "left: None" in seen.text
    assert "a call has 4,294,967,295 bytes, and may have 1,000,000" in seen.text


async def test_a_message_that_never_ends_holds_up_nobody_else(
    folder: Workspace, confinement: Confinement
) -> None:
    code = "send(b'{', length=1000)\nimport time\ntime.sleep(60)"
    began = time.monotonic()
    ticks = asyncio.create_task(_ticks())
    seen = await attack(folder, confinement, code, seconds=2)
    assert time.monotonic() - began < 12
    assert "time limit" in seen.reason
    ticks.cancel()


async def _ticks() -> None:
    """Fails its test when the loop stands still."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.05)
        assert time.monotonic() - before < 3


async def test_a_flood_is_cut_off(folder: Workspace, confinement: Confinement) -> None:
    code = (
        "call = json.dumps({'tool': 'list_files', 'args': {}}).encode()\n"
        "sent = 0\n"
        "try:\n"
        "    for _ in range(1_000_000):\n"
        "        send(call)\n"
        "        sent += 1\n"
        "except OSError as error:\n"
        "    print('cut off')"
    )
    seen = await attack(folder, confinement, code, seconds=20, calls=5)
    assert "cut off" in seen.text
    assert seen.calls == 5


async def test_answers_that_nobody_takes_are_not_piled_up(
    folder: Workspace, confinement: Confinement
) -> None:
    """The reading stops when the writing does."""
    await folder.write_text("big.txt", "x" * 200_000)
    code = (
        "call = json.dumps({'tool': 'read_file', 'args': {'path': 'big.txt'}}).encode()\n"
        "import time\n"
        "for _ in range(40):\n"
        "    send(call)\n"
        "time.sleep(1)\n"
        "print('sent')"
    )
    seen = await attack(folder, confinement, code, seconds=5)
    assert seen.calls < 40


@pytest.mark.parametrize("tool", ["teleport", "python", "code_action", "\\ud800", "read_file\\0"])
async def test_an_unknown_tool_is_an_error_of_the_call(
    folder: Workspace, confinement: Confinement, tool: str
) -> None:
    code = (
        f"send(json.dumps({{'tool': '{tool}', 'args': {{'code': '1'}}}}).encode())\nprint(answer())"
    )
    seen = await attack(folder, confinement, code)
    assert "'ok': False" in seen.text
    assert "there is no tool" in seen.text


async def test_wrong_arguments_and_paths_outside_are_errors_of_the_call(
    folder: Workspace, confinement: Confinement
) -> None:
    (folder.path.parent / "secret.txt").write_text("s3cret")
    code = (
        "for args in ({'path': '../secret.txt'}, {'path': 3}, {'path': 'a', 'more': 1}, {}):\n"
        "    send(json.dumps({'tool': 'read_file', 'args': args}).encode())\n"
        "    print(answer()['ok'])"
    )
    seen = await attack(folder, confinement, code)
    assert seen.text.startswith("False\nFalse\nFalse\nFalse\n")
    assert "s3cret" not in seen.text


async def test_nothing_of_this_process_is_inherited(
    folder: Workspace, confinement: Confinement, tmp_path: Any
) -> None:
    """One descriptor beside the usual three, and no variable that tells of it."""
    held = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(held, False)
    try:
        code = (
            "found = []\n"
            "for fd in range(3, 256):\n"
            "    try:\n        os.fstat(fd)\n    except OSError:\n        continue\n"
            "    found.append(fd)\n"
            "print(found == [handle], [name for name in os.environ if 'REPLAN' in name])\n"
            "print(os.get_inheritable(handle))"
        )
        seen = await attack(folder, confinement, code)
    finally:
        os.close(held)
    assert "True []\nFalse" in seen.text, seen.text


async def test_a_descriptor_sent_along_goes_nowhere(
    folder: Workspace, confinement: Confinement
) -> None:
    before = open_files()
    code = (
        "import array, socket\n"
        "own = os.open('.', os.O_RDONLY)\n"
        "data = json.dumps({'tool': 'list_files', 'args': {}}).encode()\n"
        "pair = socket.socket(fileno=os.dup(handle))\n"
        "rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [own] * 8))]\n"
        "pair.sendmsg([len(data).to_bytes(4, 'little') + data], rights)\n"
        "print(answer()['ok'])"
    )
    seen = await attack(folder, confinement, code)
    assert "True" in seen.text, seen.error
    assert open_files() <= before + 2


async def test_code_that_ends_or_is_killed_leaves_nothing_open(
    folder: Workspace, confinement: Confinement
) -> None:
    await attack(folder, confinement, "pass")
    before = open_files()
    for code in ("os._exit(3)", "os.close(handle)", "os.kill(os.getpid(), 9)"):
        await attack(folder, confinement, code)
    assert open_files() <= before + 2


async def test_an_error_of_the_caller_comes_out_of_the_block() -> None:
    async def make(tool: str, args: dict[str, Any]) -> Answer:
        raise LookupError("the record is gone")

    async def ask() -> None:
        async with call_channel([Function("f", "f", [], "")], make) as channel:
            call = b'{"tool": "f", "args": {}}'
            os.write(channel.handle, len(call).to_bytes(4, "little") + call)
            await asyncio.sleep(0.2)

    with pytest.raises(LookupError, match="the record is gone"):
        await ask()
