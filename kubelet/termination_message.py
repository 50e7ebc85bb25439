"""Termination message: the last words of a container: what it wrote to its message file, or the end of its log.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

import json
from collections.abc import Iterator
from pathlib import Path

from kubelet.container_spec import MESSAGE_POLICY
from kubelet.runtime.runtime import RuntimeContainer

MAX_BYTES = 4096
MAX_LOG_BYTES, MAX_LOG_LINES = 2048, 80
FALLBACK = "FallbackToLogsOnError"


def termination_message(record: RuntimeContainer, message_file: Path) -> str:
    """Reads files. Empty where there is nothing to say; the engine's own complaint where it could not run the container."""
    written = _tail(message_file, MAX_BYTES)
    if written:
        return written.decode(errors="replace")
    if record.labels.get(MESSAGE_POLICY) == FALLBACK and record.exit_code != 0:
        return _end_of_log(Path(record.log_path))
    return record.message


def _tail(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            return file.read(limit)
    except OSError:
        return b""


def _end_of_log(path: Path) -> str:
    """The engine keeps a JSON object a line; twenty times the wanted length holds the wanted text."""
    lines = list(_messages(_tail(path, MAX_LOG_BYTES * 20)))[-MAX_LOG_LINES:]
    return "".join(lines)[-MAX_LOG_BYTES:]


def _messages(content: bytes) -> Iterator[str]:
    for line in content.splitlines():
        try:
            yield json.loads(line)["log"]
        except (ValueError, KeyError):
            continue  # the first line may be cut
