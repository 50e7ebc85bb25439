"""Remote command: the bytes of exec and attach, between a client and a process, whatever protocol the client speaks.

Channels: 0 stdin · 1 stdout · 2 stderr · 3 error (how it ended) · 4 resize ({"Width": w, "Height": h}) · 255 the end of a channel.
Versions of the protocol: 4 and 5 tell the end as a Status on the error channel; those before say nothing of success, and of
failure a line of text. https://kubernetes.io/docs/concepts/cluster-administration/ (KEP-4006) ·
upstream k8s.io/apimachinery/pkg/util/remotecommand/constants.go
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import orjson

from kube.api.meta import Tree
from kubelet.runtime.runtime import RuntimeFailure, Session

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
STATUS_VERSION = 4

SUCCESS: Tree = {"metadata": {}, "status": "Success"}

Take = Callable[[int, bytes], Awaitable[None]]  # (channel, data)


class Client(Protocol):
    """Who asked."""

    @property
    def version(self) -> int:
        """Of the protocol."""

    async def listen(self, take: Take) -> None:
        """Hand over what comes, until the client leaves."""

    async def send(self, channel: int, data: bytes) -> None:
        """Raises ConnectionError once the client has left. Returns when there is room for more."""

    async def close(self) -> None: ...


def exit_status(code: int) -> Tree:
    """The Status that tells how a command ended."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(message: str) -> Tree:
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}


async def join(client: Client, session: Session, *, tells_exit_code: bool) -> None:
    """Carry bytes both ways until the process ends or the client leaves; then tell how it ended."""
    sending = asyncio.ensure_future(_to_client(client, session))
    listening = asyncio.ensure_future(client.listen(lambda channel, data: _to_process(session, channel, data)))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and sending.result():
            await _tell(client, exit_status(await session.exit_code()) if tells_exit_code else SUCCESS)
    except RuntimeFailure as error:
        await _tell(client, failure_status(str(error)))
    finally:
        session.close()
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)
        await client.close()


async def _to_client(client: Client, session: Session) -> bool:
    """Whether the client took everything."""
    try:
        async for stream, data in session.frames():
            await client.send(stream, data)
    except ConnectionError:
        return False
    return True


async def _tell(client: Client, status: Tree) -> None:
    with suppress(ConnectionError):
        if client.version >= STATUS_VERSION:
            await client.send(ERROR, orjson.dumps(status))
        elif status is not SUCCESS:
            await client.send(ERROR, str(status["message"]).encode())


async def _to_process(session: Session, channel: int, data: bytes) -> None:
    with suppress(ConnectionError):  # the process reads no more; what it still says counts
        if channel == STDIN and data:
            await session.send(data)
        elif channel == CLOSE and data[:1] == bytes([STDIN]):
            await session.close_stdin()
        elif channel == RESIZE:
            with suppress(KeyError, TypeError, ValueError, RuntimeFailure):  # a size that is none changes nothing
                size = orjson.loads(data)
                await session.resize(int(size["Width"]), int(size["Height"]))
