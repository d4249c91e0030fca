"""Settings of the environment: keys, addresses, folders. Never part of a prompt or checkpoint."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_WEIGHTS_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


class Settings(BaseSettings):
    """Read from environment variables and from a `.env` file in the current folder."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True
    )

    replan_home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("replan", appauthor=False)
    )
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
    replan_page_ports: str = "80,443"
    replan_model_path: Path | None = None
    replan_model_sha256: str = DEFAULT_WEIGHTS_SHA256
    hf_endpoint: str = "https://huggingface.co"


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
