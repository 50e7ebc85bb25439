"""Health: /healthz, /livez, /readyz, /metrics, /configz and /version as one small ASGI app.

A check is a name and a question; it passes if the question answers None, and fails with the text it answers. Of several checks
only the log gets to see the reason ("reason withheld"). `?verbose` lists them, `?exclude=name` leaves one out, /healthz/<name>
asks one alone, and tells why.
https://kubernetes.io/docs/reference/using-api/health-checks/ · apiserver pkg/server/healthz
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson

from kube.client.version import version_info
from kube.component import metrics
from kube.component.logging import get_logger

log = get_logger(__name__)

Answer = tuple[int, str, bytes]  # status, content type, body
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Check:
    name: str
    ask: Callable[[], Awaitable[str | None]]  # None: well; a text: why not


async def always_well() -> str | None:
    """Of a check that is there for its name."""
    return None


PING = Check("ping", always_well)


class Health:
    """The checks of one program. `config` is what /configz shows; it must hold no secrets."""

    def __init__(self, *checks: Check, config: Any = None, config_name: str = "config") -> None:
        self.checks = (PING, *checks)
        self._config = config
        self._config_name = config_name

    async def answer(self, path: str, query: Mapping[str, list[str]]) -> Answer | None:
        """The answer to a path, or None for a path that is not about health."""
        root, _, single = path.strip("/").partition("/")
        if root in ("healthz", "livez", "readyz"):
            return await self._check(root, single, query)
        if path == "/metrics":
            return 200, metrics.CONTENT_TYPE, metrics.exposition()
        if path == "/version":
            return 200, "application/json", orjson.dumps(version_info(), option=orjson.OPT_INDENT_2)
        if path == "/configz" and self._config is not None:
            tree = asdict(self._config) if is_dataclass(self._config) and not isinstance(self._config, type) else self._config
            return 200, "application/json", orjson.dumps({self._config_name: tree}, default=str)
        return None

    async def _check(self, root: str, single: str, query: Mapping[str, list[str]]) -> Answer:
        excluded = {name for text in query.get("exclude", ()) for name in text.split(",")}
        if single:
            return await self._check_one(single)
        lines, failed = [], []
        for check in self.checks:
            if check.name in excluded:
                excluded.discard(check.name)
                lines.append(f"[+]{check.name} excluded: ok")
                continue
            why = await check.ask()
            if why is None:
                lines.append(f"[+]{check.name} ok")
            else:
                lines.append(f"[-]{check.name} failed: reason withheld")
                failed.append(check.name)
                log.info("health check failed", endpoint=root, check=check.name, reason=why)
        if excluded:
            unknown = ", ".join(f'"{name}"' for name in sorted(excluded))
            lines.append(f"warn: some health checks cannot be excluded: no matches for {unknown}")
        if failed:
            return 500, TEXT, "\n".join([*lines, f"{root} check failed", ""]).encode()
        if "verbose" in query:
            return 200, TEXT, "\n".join([*lines, f"{root} check passed", ""]).encode()
        return 200, TEXT, b"ok"

    async def _check_one(self, name: str) -> Answer:
        check = next((check for check in self.checks if check.name == name), None)
        if check is None:
            return 404, TEXT, b"404 page not found\n"
        why = await check.ask()
        return (200, TEXT, b"ok") if why is None else (500, TEXT, f"internal server error: {why}\n".encode())

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """As an ASGI app; a path that it does not know is a 404."""
        if scope["type"] != "http":
            return
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        status, content_type, body = await self.answer(scope["path"], query) or (404, TEXT, b"404 page not found\n")
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
