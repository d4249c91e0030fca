"""Turns what a model's client raises into this project's errors; no key gets into a message."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from replan.models.patience import CutAnswerError, retry_after
from replan.state.errors import ModelAnswerError, ModelUnavailableError, ReplanError

if TYPE_CHECKING:
    from openai import APIStatusError

RESUMABLE = "The run can be resumed."
_LONGEST_WAIT = 366 * 86_400
_KEY = re.compile(r"\b(sk|pk|key)-[\w*-]{4,}", re.IGNORECASE)


def translated(error: Exception, model: str, server: str) -> ReplanError:
    """The error to raise in place of `error`.

    Args:
        error: whatever was raised by the openai package or, for an answer that does not follow
            the protocol, by langchain_openai.
        model: name of the model that was asked.
        server: base URL of its server.
    """
    import openai

    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return ModelUnavailableError(
            f"The model {model} at {server} did not answer in time.", RESUMABLE
        )
    if isinstance(error, CutAnswerError | json.JSONDecodeError) or _was_cut(error):
        return ModelUnavailableError(
            f"What answers at {server} does not follow OpenAI's protocol: the answers of the model "
            f"{model} break off.",
            RESUMABLE,
        )
    if isinstance(error, openai.APIConnectionError):
        return ModelUnavailableError(
            f"No model server can be reached at {server}.",
            "Check OPENAI_BASE_URL and the network.",
        )
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, model, server)
    return ModelUnavailableError(
        f"What answers at {server} does not follow OpenAI's protocol ({type(error).__name__}).",
        "Check OPENAI_BASE_URL: it usually ends in /v1.",
    )


def _from_status(error: "APIStatusError", model: str, server: str) -> ReplanError:
    status = error.status_code
    if status in (401, 403):
        return ModelUnavailableError(
            f"The model server at {server} refuses the key ({status}).", "Check OPENAI_API_KEY."
        )
    if status == 404:
        return ModelUnavailableError(
            f"The server at {server} has no model {model} (404).",
            "Choose another with --model or OPENAI_MODEL, and check OPENAI_BASE_URL.",
        )
    said = said_by(error)
    if status == 429:
        return ModelUnavailableError(
            f"The model server at {server} takes no more calls for now (429): {said}", _when(error)
        )
    if status >= 500:
        return ModelUnavailableError(
            f"The model server at {server} failed ({status}): {said}", _when(error)
        )
    return ModelAnswerError(f"The model {model} refused the request ({status}): {said}", RESUMABLE)


def _when(error: "APIStatusError") -> str:
    """When the run can be resumed, as far as the server says."""
    wait = retry_after(error.response.headers)
    if wait is None or not 1 <= wait < _LONGEST_WAIT:
        return RESUMABLE
    until = datetime.now(UTC) + timedelta(seconds=wait)
    return f"The run can be resumed in {wait:.0f} s, at {until:%Y-%m-%d %H:%M:%S} UTC."


def _was_cut(error: Exception) -> bool:
    """Whether a connection broke that had been there."""
    import httpx2

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx2.ReadError | httpx2.RemoteProtocolError):
            return True
        cause = cause.__cause__
    return False


def said_by(error: Exception) -> str:
    """The server's own words: one line, at most 300 characters, without keys."""
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, dict) else None
    line = " ".join(str(text or error).split())
    return _KEY.sub("[key]", line)[:300]
