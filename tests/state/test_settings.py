"""The settings file: which one counts, what the environment overrides, and broken ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replan.state.errors import SettingError
from replan.state.mcp_servers import McpServer
from replan.state.settings import Settings, settings

RULES = '[approvals]\nallow = ["web_search"]\ndeny = ["write_file(*.md)"]\n'


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty current folder, and an empty REPLAN_HOME, which is returned."""
    place, home = tmp_path / "here", tmp_path / "home"
    place.mkdir()
    home.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("REPLAN_HOME", str(home))
    settings.cache_clear()
    yield home
    settings.cache_clear()


def write(path: str | Path, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def read() -> Settings:
    settings.cache_clear()
    return settings()


def test_the_first_that_is_found_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read().openai_model is None
    write(home / "config.toml", 'openai_model = "of home"')
    assert read().openai_model == "of home"
    write("named.toml", 'openai_model = "named"')
    monkeypatch.setenv("REPLAN_SETTINGS", "named.toml")
    assert read().openai_model == "named"
    write("replan.toml", 'openai_model = "here"\n' + RULES)
    assert read().openai_model == "here"
    assert [str(rule) for rule in read().replan_approvals.rules()] == [
        "deny:write_file(*.md)",
        "allow:web_search",
    ]


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write("replan.toml", f'openai_model = "of the file"\n{RULES}')
    monkeypatch.setenv("OPENAI_MODEL", "of the environment")
    monkeypatch.setenv("MCP", "not ours")
    monkeypatch.setenv("APPROVALS", "not ours")
    assert read().openai_model == "of the environment"
    monkeypatch.setenv("REPLAN_APPROVALS", '{"allow": ["python(*)"]}')
    assert read().replan_approvals.allow == ["python(*)"]
    assert read().replan_approvals.deny == ["write_file(*.md)"]  # one does not take away the other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[approvals\n", "replan.toml is not TOML"),
        ("[approval]\ndeny = []\n", "no setting 'approval'. Sections: approvals, mcp"),
        ("[approvals]\ndenied = []\n", "setting approvals.denied: Extra inputs"),
        ("[approvals]\ndeny = ['a b']\n", "setting approvals.deny.0: 'a b' is no"),
        ("[approvals]\ndeny = 'python'\n", "setting approvals.deny: Input should be a valid list"),
        ("[mcp.servers.a__b]\ncommand = 'x'\n", "setting mcp.servers.a__b"),
        ("[mcp.servers.a]\n", "give either command or url"),
        ("[mcp.servers.a]\ncommand = 'x'\nurl = 'http://x'\n", "give either command or url"),
        ("[mcp.servers.a]\nurl = 'ftp://x'\n", "url must begin with http"),
        ("[mcp.servers.a]\ncommand = 'x'\ntransport = 'http'\n", "transport stdio goes with"),
        ("[mcp.servers.a]\ncommand = 'x'\nenv = {A = 1}\n", "mcp.servers.a.env.A"),
        ("openai_model = 7\n", "setting openai_model"),
    ],
)
def test_a_broken_file_is_one_clear_line(text: str, said: str) -> None:
    write("replan.toml", text)
    with pytest.raises(SettingError) as raised:
        read()
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_what_a_broken_file_holds_is_not_told() -> None:
    write("replan.toml", "[mcp.servers.a]\ncommand = 'x'\nheaders = {A = 'hush'}\nother = 'hush'\n")
    with pytest.raises(SettingError) as raised:
        read()
    assert "hush" not in str(raised.value)


def test_a_named_file_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAN_SETTINGS", "nowhere.toml")
    with pytest.raises(SettingError, match=r"there is no file .*nowhere.toml"):
        read()


def test_a_file_that_is_no_text(home: Path) -> None:
    (home / "config.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(SettingError, match="is not TOML"):
        read()


def test_variables_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        "replan.toml",
        "[mcp.servers.a]\nurl = 'https://a.example/mcp'\n"
        "headers = {Authorization = 'Bearer ${A_TOKEN}', Accept = 'text/html'}\n",
    )
    server = read().replan_mcp.servers["a"]
    assert server.missing() == ["A_TOKEN"]
    monkeypatch.setenv("A_TOKEN", "abcdef-123")
    assert server.missing() == []
    assert server.filled(server.headers)["Authorization"] == "Bearer abcdef-123"
    assert server.secrets() == ["Bearer abcdef-123", "abcdef-123"]
    assert "abcdef" not in repr(server)
    assert McpServer(command="x", env={"LEVEL": "information"}).secrets() == []
