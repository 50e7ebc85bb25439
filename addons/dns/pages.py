"""The pages for those who watch over the program: /health, /ready, /metrics, each on its own address as the Corefile has it.

/health says that the process lives. /ready says that the cluster is known, and the first list of each kind has come; while the
program ends it says no, so that nobody new is sent here. https://coredns.io/plugins/health/ · https://coredns.io/plugins/ready/
"""

from collections.abc import Callable
from typing import Any

from kube.component import metrics
from kube.component.http_server import Server, serve
from kube.component.run import StartupError

TEXT = b"text/plain; charset=utf-8"
EVERYWHERE = "0.0.0.0"

Page = Callable[[], tuple[int, bytes, bytes]]  # status, content type, body


def health() -> tuple[int, bytes, bytes]:
    return 200, TEXT, b"OK"


def ready(waiting: Callable[[], str]) -> Page:
    """`waiting` names what is waited for; nothing: ready."""

    def page() -> tuple[int, bytes, bytes]:
        why = waiting()
        return (503, TEXT, why.encode()) if why else (200, TEXT, b"OK")

    return page


def exposition() -> tuple[int, bytes, bytes]:
    return 200, metrics.CONTENT_TYPE.encode(), metrics.exposition()


async def listen(address: str, path: str, page: Page) -> Server | None:
    """Serve one page; nothing where there is no address. Raises OSError where it is taken, StartupError where it is none."""
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise StartupError(f"{address!r} is not an address with a port")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = page() if scope["path"] == path else (404, TEXT, b"404 page not found\n")
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return await serve(app, host.strip("[]") or EVERYWHERE, int(port))
