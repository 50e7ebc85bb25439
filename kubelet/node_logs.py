"""Node logs: /logs/ shows the files of the node's log directory, for who may read nodes/log.

A directory is listed, a file is sent. Nothing outside the directory is shown, whatever `..` or links say.
https://kubernetes.io/docs/concepts/cluster-administration/system-logs/#log-query
"""

import html
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

LOG_ROOT = Path("/var/log")


def node_log(path: str, root: Path = LOG_ROOT) -> Response:
    """Blocking: looks at the directory."""
    wanted = (root / path.lstrip("/")).resolve()
    if not wanted.is_relative_to(root.resolve()) or not wanted.exists():
        return PlainTextResponse("404 page not found\n", 404)
    if wanted.is_dir():
        return HTMLResponse(listing(sorted(one.name + ("/" if one.is_dir() else "") for one in wanted.iterdir())))
    if not wanted.is_file():
        return PlainTextResponse("404 page not found\n", 404)  # a socket or a pipe
    return FileResponse(wanted, media_type="text/plain; charset=utf-8")


def listing(names: list[str]) -> str:
    """As Go's file server shows a directory."""
    lines = [f'<a href="{quote(name)}">{html.escape(name)}</a>' for name in names]
    return "\n".join(["<pre>", *lines, "</pre>", ""])
