import json
import sys

import pytest

from replan.cli import restore
from replan.cli.printable import json_line
from replan.state.errors import WorkspaceChangedError

ODD = "a\x1b[2J\x7f\x9b31m\u202ebc\U000e0001\ud800 \u4e2d\u00e9\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_json_cannot_steer_a_terminal_and_says_the_same(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    line = json_line({"text": ODD})
    assert json.loads(line) == {"text": ODD}
    assert "\u4e2d\u00e9" in line
    assert line.isprintable() is terminal


def test_names_of_files_are_escaped_when_asking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(restore.typer, "confirm", lambda *args, **more: True)
    restore._ask(WorkspaceChangedError(["a\x1b[31mred", "\u202etxt.exe"]))
    said = capsys.readouterr().err
    assert "  a\\x1b[31mred\n  \\u202etxt.exe\n" in said
