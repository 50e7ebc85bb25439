"""Ending: how a worker that takes nothing new any longer comes to its end.

Watches end at once, in good order: their clients go on at another server. A request on its way has its time, as long as any request
has (--request-timeout): nobody is cut off in the middle of a write. Connections into pods and other long-running requests might
last for days; they get LONG_RUNNING_SECONDS, and are cut. Our choice, where upstream waits a minute for some of them (logs that are
followed) and for others (exec) not at all.
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--shutdown-delay-duration)
"""

import asyncio

from apiserver.config import Config
from apiserver.context import Server
from apiserver.filters import long_running
from kube.component import http_server

LONG_RUNNING_SECONDS = 5.0
MARGIN_SECONDS = 10.0  # for the rest of a worker's end


async def finish(server: Server, door: http_server.Server) -> None:
    """Until nothing is on its way."""
    server.stores.feed.end_watches()
    cut = asyncio.get_running_loop().call_later(LONG_RUNNING_SECONDS, long_running.end, server)
    await door.close(within=server.config.request_timeout)
    cut.cancel()


def longest_seconds(config: Config) -> float:
    """How long a worker may take to end."""
    return config.request_timeout + MARGIN_SECONDS
