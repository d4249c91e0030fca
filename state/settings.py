"""Settings of the environment and of the settings file: keys, addresses, folders, approvals, MCP
servers. Never part of a prompt or checkpoint.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from replan.state.approval import Approvals
from replan.state.errors import SettingError
from replan.state.mcp_servers import Mcp

FILE_NAME = "replan.toml"
HOME_FILE_NAME = "config.toml"
# Sections of the file, by the field that holds each: `MCP` alone would be too common a variable.
_SECTIONS = {"approvals": "replan_approvals", "mcp": "replan_mcp"}
DEFAULT_WEIGHTS_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


def _default_home() -> Path:
    return platformdirs.user_data_path("replan", appauthor=False)


class Settings(BaseSettings):
    """Read from environment variables, from a `.env` file in the current folder, and from the
    settings file; what comes first holds.

    The settings file is the first that is found of `replan.toml` in the current folder, the one
    that REPLAN_SETTINGS names, and `config.toml` in REPLAN_HOME. It has these fields by their
    names, and the sections `[approvals]` and `[mcp.servers.NAME]`.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    replan_settings: Path | None = None
    replan_approvals: Approvals = Field(default_factory=Approvals)
    replan_mcp: Mcp = Field(default_factory=Mcp)

    replan_home: Path = Field(default_factory=_default_home)
    replan_cache: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("replan", appauthor=False)
    )
    database_url: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    tavily_api_key: SecretStr | None = None
    openai_embedding_model: str | None = None
    tavily_base_url: str | None = None
    searxng_url: str | None = None
    replan_search: Literal["auto", "tavily", "searxng", "ddgs", "none"] = "auto"
    replan_documents: Path | None = None
    replan_memory_user: str = Field(default="", max_length=200)
    replan_memory_project: str = Field(default="", max_length=200)
    replan_page_ports: str = "80,443"
    replan_model_path: Path | None = None
    replan_model_sha256: str = DEFAULT_WEIGHTS_SHA256
    replan_model_slots: int = Field(default=1, ge=1, le=16)
    hf_endpoint: str = "https://huggingface.co"

    @property
    def workspaces(self) -> Path:
        """Holds the folders of threads that work in one of their own, and of their branches."""
        return self.replan_home / "workspaces"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        given = {**dotenv_settings(), **env_settings()}
        file = _SettingsFile(settings_cls, settings_file(given))
        return init_settings, env_settings, dotenv_settings, file


class _SettingsFile(TomlConfigSettingsSource):
    """The settings file. A name that is not known is an error: a typing error in a rule's section
    would otherwise leave its calls unguarded.
    """

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        try:
            data = super()._read_file(file_path)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingError(f"{file_path} is not TOML: {error}.", "Mend that line.") from None
        except OSError as error:
            raise SettingError(f"{file_path} cannot be read: {error.strerror}.") from None
        known = {*_SECTIONS, *Settings.model_fields} - {*_SECTIONS.values(), "replan_settings"}
        if unknown := sorted(data.keys() - known):
            raise SettingError(
                f"{file_path}: there is no setting {unknown[0][:60]!r}.",
                f"Sections: {', '.join(_SECTIONS)}. The others are named as the variables, in "
                "small letters.",
            )
        return {_SECTIONS.get(name, name): value for name, value in data.items()}


def settings_file(given: dict[str, Any]) -> Path | None:
    """The settings file that counts, or None.

    Args:
        given: settings of the environment, for `replan_settings` and `replan_home`.

    Raises:
        SettingError: REPLAN_SETTINGS names a file that is not there.
    """
    here = Path(FILE_NAME)
    if here.is_file():
        return here.absolute()
    if named := given.get("replan_settings"):
        file = Path(named).expanduser().absolute()
        if not file.is_file():
            raise SettingError(f"there is no file {file}.", "REPLAN_SETTINGS names it.")
        return file
    file = Path(given.get("replan_home") or _default_home()) / HOME_FILE_NAME
    return file if file.is_file() else None


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingError: the settings file or a variable cannot be read; one line says which.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        names = {field: section for section, field in _SECTIONS.items()}
        where = ".".join(names.get(str(part), str(part)) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise SettingError(f"setting {where}: {said}.", _MEND) from None
    except SettingsError:
        raise SettingError("REPLAN_APPROVALS or REPLAN_MCP is not JSON.", _MEND) from None


_MEND = f"Mend {FILE_NAME}, or the file that REPLAN_SETTINGS names, or the variable."
