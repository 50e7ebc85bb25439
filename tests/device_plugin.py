"""A device plugin for tests: it speaks gRPC over a socket of its own; each call it gets is kept, in order.

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/#device-plugin-implementation
"""

import queue
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from kube.api.meta import Tree
from kubelet.csi.messages import Call
from kubelet.csi.protobuf import decode, encode
from kubelet.csi.socket import as_it_is
from kubelet.devices import messages
from kubelet.devices.registration import SOCKET

RESOURCE = "example.com/led"


class LedPlugin:
    """Devices that are files; serves from `start` to `stop`."""

    def __init__(self, directory: Path, *, options: Mapping[str, bool] | None = None, answer: Tree | None = None) -> None:
        self.calls: list[tuple[str, Tree]] = []
        self.refuses = ""  # what Allocate says instead of giving anything
        self.prefers: list[str] = []
        self._directory = directory
        self._options = dict(options or {})
        self._answer = answer or {}
        self._told: queue.SimpleQueue[dict[str, str] | None] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(3)
        self._server = grpc.server(self._pool)

    def start(self, **health: str) -> None:
        """With devices of these names, each Healthy or Unhealthy."""
        handlers = {
            "Allocate": self._handler(messages.ALLOCATE, self._allocate),
            "GetPreferredAllocation": self._handler(
                messages.GET_PREFERRED, lambda _: {"container_responses": [{"deviceIDs": self.prefers}]}
            ),
            "PreStartContainer": self._handler(messages.PRE_START, lambda _: {}),
            "ListAndWatch": grpc.unary_stream_rpc_method_handler(self._list_and_watch),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("v1beta1.DevicePlugin", handlers),))
        self._server.add_insecure_port(f"unix://{self._directory / 'led.sock'}")
        self._server.start()
        self.tell(**health)

    def register(self, **other: Any) -> None:
        """Raises grpc.RpcError where the kubelet refuses."""
        words = {"version": messages.VERSION, "endpoint": "led.sock", "resource_name": RESOURCE, "options": self._options, **other}
        with grpc.insecure_channel(f"unix://{self._directory / SOCKET}") as channel:
            channel.unary_unary(messages.REGISTER.path, as_it_is, as_it_is)(encode(messages.REGISTER.request, words), timeout=10)

    def tell(self, **health: str) -> None:
        """The devices that there are now."""
        self._told.put(health)

    def stop(self) -> None:
        self._told.put(None)
        self._server.stop(None).wait()
        self._pool.shutdown()

    def named(self, method: str) -> list[Tree]:
        return [values for name, values in self.calls if name == method]

    def _list_and_watch(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        while (health := self._told.get()) is not None:
            devices = [{"ID": name, "health": state} for name, state in health.items()]
            yield encode(messages.LIST_AND_WATCH.answer, {"devices": devices})

    def _allocate(self, request: Tree) -> Tree:
        return {"container_responses": [self._answer for _ in request["container_requests"]]}

    def _handler(self, call: Call, answered: Any) -> Any:
        name = call.path.rpartition("/")[2]

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            values = decode(call.request, request)
            self.calls.append((name, values))
            if self.refuses and call is messages.ALLOCATE:
                context.abort(grpc.StatusCode.INTERNAL, self.refuses)
            return encode(call.answer, answered(values))

        return grpc.unary_unary_rpc_method_handler(handle)
