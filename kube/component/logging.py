"""Logging: constant messages with key=value pairs, one line each: a line's end inside a value is written as \\n.

    log = get_logger(__name__)
    log.info("pod bound", pod=key, node=name)

Levels by reader: error: someone must act; warning: worked around; info: state changed; debug (--v=4 and more): the rest.
"""

import logging
import sys
from typing import Any

DEBUG_FROM = 4  # upstream's --v level at which details of ordinary work appear
# what ends a line for some reader (str.splitlines), written as in a string of source text
_LINE_ENDS = str.maketrans({mark: mark.encode("unicode_escape").decode() for mark in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"})


class Logger:
    """A logger of one module."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, **pairs: Any) -> None:
        self._log(logging.DEBUG, message, pairs)

    def info(self, message: str, **pairs: Any) -> None:
        self._log(logging.INFO, message, pairs)

    def warning(self, message: str, **pairs: Any) -> None:
        self._log(logging.WARNING, message, pairs)

    def error(self, message: str, **pairs: Any) -> None:
        self._log(logging.ERROR, message, pairs)

    def exception(self, message: str, **pairs: Any) -> None:
        """An error with the traceback of what is being handled: only at a loop's top, for what was not expected."""
        self._logger.error(_line(message, pairs), exc_info=True)

    def _log(self, level: int, message: str, pairs: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _line(message, pairs))


def get_logger(name: str) -> Logger:
    return Logger(name)


def configure(verbosity: int = 0) -> None:
    """Log to standard error, from info on (from debug on where --v is high)."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03d %(levelname).1s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.DEBUG if verbosity >= DEBUG_FROM else logging.INFO, handlers=[handler], force=True)
    for noisy in ("asyncio", "aiohttp.access", "urllib3", "docker", "pyroute2", "httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def can_be_written() -> str | None:
    """For health checks: None, or why what was logged does not reach its place (a full disk, a reader that went away)."""
    for handler in logging.getLogger().handlers:
        try:
            handler.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return f"logging blocked: {error}"
    return None


def _line(message: str, pairs: dict[str, Any]) -> str:
    return " ".join([message, *(f"{name}={_value(value)}" for name, value in pairs.items())])


def _value(value: Any) -> str:
    text = str(value) if not isinstance(value, BaseException) else (str(value) or type(value).__name__)
    quoted = not text or (any(mark in text for mark in ' "=\n') and not text.startswith('"'))
    text = text.translate(_LINE_ENDS)
    return f'"{text}"' if quoted else text
