"""Plugin: one device plugin, from its registration until its stream ends: the devices that it has, and what it is asked.

Upstream: pkg/kubelet/cm/devicemanager/endpoint.go
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubelet.csi.messages import Call
from kubelet.csi.protobuf import decode, encode
from kubelet.csi.socket import DriverError, as_it_is, call
from kubelet.devices import messages


class DevicePlugin:
    def __init__(self, resource: str, socket: str, options: Mapping[str, Any]) -> None:
        self.resource = resource
        self.devices: dict[str, bool] = {}  # whether each is well
        self.ended_at: float | None = None  # on the monotonic clock; None: it speaks
        self._socket = socket
        self._options = options

    async def follow(self, changed: Callable[[], None]) -> None:
        """Until the plugin says no more. Raises DriverError when it ends otherwise than of itself."""
        import grpc.aio  # 5 MB that a node without plugins need not have

        asked = messages.LIST_AND_WATCH
        try:
            async with grpc.aio.insecure_channel(f"unix://{self._socket}") as channel:
                async for content in channel.unary_stream(asked.path, as_it_is, as_it_is)(encode(asked.request, {})):
                    told = decode(asked.answer, content).get("devices", ())
                    self.devices = {one["ID"]: one.get("health") == messages.HEALTHY for one in told if "ID" in one}
                    changed()
        except grpc.aio.AioRpcError as error:
            raise DriverError(f"{error.code().name}: {error.details()}") from error

    async def preferred(self, available: Sequence[str], count: int) -> tuple[str, ...]:
        """Which of them the plugin would give first; none if it does not care. Raises DriverError, ValueError."""
        if not self._options.get("get_preferred_allocation_available"):
            return ()
        one = {"available_deviceIDs": list(available), "allocation_size": count}
        return tuple((await self._asked(messages.GET_PREFERRED, one)).get("deviceIDs", ()))

    async def allocate(self, devices: Sequence[str]) -> bytes:
        """What a container with these devices needs, as a message of shape GRANT. Raises DriverError, ValueError."""
        return encode(messages.GRANT, await self._asked(messages.ALLOCATE, {"devices_ids": list(devices)}))

    async def _asked(self, what: Call, one: Mapping[str, Any]) -> dict[str, Any]:
        answer = await call(self._socket, what, {"container_requests": [one]})
        responses = answer.get("container_responses", ())
        if len(responses) != 1:
            raise DriverError(f"{what.path} was answered for {len(responses)} containers instead of one")
        found: dict[str, Any] = responses[0]
        return found

    async def before_start(self, devices: Sequence[str]) -> None:
        """Raises DriverError."""
        if self._options.get("pre_start_required"):
            await call(self._socket, messages.PRE_START, {"devices_ids": list(devices)})
