"""Work for a client that may leave: a stream of its own, over HTTP or a WebSocket, that ends with the connection."""

import asyncio
from collections.abc import Coroutine

from apiserver.context import Request

GONE = ("http.disconnect", "websocket.disconnect")


async def until_gone(request: Request, work: Coroutine[None, None, None]) -> None:
    """Do the work until it is done or the client leaves; what the work raises is raised here.

    No exception says that the client left: a raised one, its traceback and the task that it is kept in hold each other, and with
    them all that belongs to the connection, until the cycle collector comes by.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))
    if not working.cancelled():
        working.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] not in GONE:
        pass
