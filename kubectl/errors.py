"""Errors: what kubectl says on stderr, and the exit code.

Texts are upstream's (kubectl pkg/cmd/util/helpers.go StandardErrorMessage, StatusDetails).
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kube.api.status import ApiError, Invalid, Unauthorized
from kubectl.transport import Unreachable

if TYPE_CHECKING:
    from kubectl.session import Session


class CommandError(Exception):
    """An expected failure of the command itself; printed with `error: ` before it."""


class Failed(Exception):
    """Some of several steps failed: each is told on its own line, without the word `error` before it."""

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def report(error: Exception, session: "Session") -> tuple[str, int]:
    """The text for stderr and the exit code."""
    if isinstance(error, Failed):
        told = [message(one, session.server_url) for one in error.errors]
        return "\n".join(text.removeprefix("error: ") for text in told), 1
    return message(error, session.server_url), 1


def message(error: Exception, server: str = "") -> str:
    """One error in upstream's words."""
    if isinstance(error, Unauthorized):
        return f"error: You must be logged in to the server ({error.message})"
    if isinstance(error, Invalid):
        return _invalid(error)
    if isinstance(error, ApiError):
        return f"Error from server ({error.reason}): {error.message}" if error.reason else f"Error from server: {error.message}"
    if isinstance(error, Unreachable):
        if error.refused:
            where = urlsplit(error.server or server).netloc
            return f"The connection to the server {where} was refused - did you specify the right host or port?"
        return f"Unable to connect to the server: {error}"
    text = str(error)
    return text if text.startswith("Error in configuration: ") else f"error: {text}"


def _invalid(error: Invalid) -> str:
    """`The Pod "x" is invalid: field: why`, or one line a cause."""
    details = error.details or {}
    head = f'The {details["kind"]} "{details.get("name", "")}" is invalid' if details.get("kind") else "The request is invalid"
    causes = details.get("causes") or ()
    if not causes:
        return f"{head}: {error.message}"
    lines = list(dict.fromkeys(f"{one['field']}: {one['message']}" if one.get("field") else one["message"] for one in causes))
    if len(lines) == 1:
        return f"{head}: {lines[0]}"
    return f"{head}: \n" + "\n".join(f"* {line}" for line in lines)
