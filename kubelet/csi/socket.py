"""Socket: one call to a storage driver, over its Unix socket.

A connection a call: drivers come and go, and calls are few. https://grpc.io/docs/guides/error/
"""

from collections.abc import Mapping
from typing import Any

from kubelet.csi.messages import Call
from kubelet.csi.protobuf import decode, encode

CALL_SECONDS = 120.0  # upstream's csiTimeout is two minutes


class DriverError(Exception):
    """The driver refused, or is not there: gRPC's code and the driver's words."""


async def call(socket: str, what: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises DriverError."""
    import grpc.aio  # 5 MB that a node without such drivers need not have

    try:
        async with grpc.aio.insecure_channel(f"unix://{socket}") as channel:
            method = channel.unary_unary(what.path, as_it_is, as_it_is)
            answer: bytes = await method(encode(what.request, values), timeout=CALL_SECONDS)
            return decode(what.answer, answer)
    except grpc.aio.AioRpcError as error:
        raise DriverError(f"rpc error: code = {_camel(error.code().name)} desc = {error.details()}") from error


def as_it_is(message: bytes) -> bytes:
    return message


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
