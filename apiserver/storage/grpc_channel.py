"""grpc channel: the same calls over grpc.aio — what http2_channel.py is compared with in the tests, and the way back from it.

Imported only where it is asked for: the library costs a fifth of a second and 20 MB.
"""

import asyncio
from typing import Any

import grpc

from apiserver.storage.rpc import CALL_SECONDS, METHODS, Code, RpcError

REQUIRE_LEADER = (("hasleader", "true"),)
END_OF_STREAM: Any = getattr(grpc.aio, "EOF")  # noqa: B009  (the stubs lack it)
OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # a range over a big prefix exceeds gRPC's 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
]


class GrpcChannel:
    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None) -> None:
        aio: Any = grpc.aio  # whose stubs want serializers
        self._channel: Any = (
            aio.secure_channel(address, credentials, OPTIONS) if credentials else aio.insecure_channel(address, OPTIONS)
        )  # fmt: skip
        self._calls = {name: self._channel.unary_unary(path) for name, path in METHODS.items()}

    @property
    def connected(self) -> bool:
        return bool(self._channel.get_state() == grpc.ChannelConnectivity.READY)

    async def connect(self) -> None:
        await self._channel.channel_ready()

    async def call(self, method: str, request: bytes) -> bytes:
        try:
            answer: bytes = await self._calls[method](request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        return answer

    def stream(self, method: str, first: bytes) -> "GrpcStream":
        stream = GrpcStream(self._channel.stream_stream(METHODS[method])(metadata=REQUIRE_LEADER))
        stream.send(first)
        return stream

    async def close(self) -> None:
        await self._channel.close(None)


class GrpcStream:
    def __init__(self, call: Any) -> None:
        self._call = call
        self._unsent: list[bytes] = []
        self._sent = asyncio.Event()

    def send(self, message: bytes) -> None:
        self._unsent.append(message)
        self._sent.set()

    async def read(self) -> bytes | None:
        reading = asyncio.ensure_future(self._call.read())
        try:
            while not reading.done():
                await self._flush()
                sending = asyncio.ensure_future(self._sent.wait())
                await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
                sending.cancel()
            if reading.cancelled():
                return None  # as `cancel` wants it
            message = reading.result()
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from error
        finally:
            reading.cancel()
        return None if message is END_OF_STREAM else bytes(message)

    def cancel(self) -> None:
        self._call.cancel()

    async def _flush(self) -> None:
        self._sent.clear()
        while self._unsent:
            await self._call.write(self._unsent.pop(0))


def _translated(error: grpc.aio.AioRpcError) -> RpcError:
    number: int = error.code().value[0]
    return RpcError(Code(number), error.details() or "")
