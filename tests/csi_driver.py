"""A storage driver for tests: a node plugin with its registrar, which speaks gRPC over a socket of its own. Its volumes are memory
file systems, or loop devices; each call it gets is kept, in order.

https://github.com/container-storage-interface/spec/blob/master/spec.md
"""

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from kube.api.meta import Tree
from kubelet.csi import messages
from kubelet.csi.messages import Call
from kubelet.csi.protobuf import decode, encode
from kubelet.volumes import mounts

DRIVER = "memory.example.com"
NODE_INFO = {"node_id": "node-7", "max_volumes_per_node": 3, "accessible_topology": {"segments": {"example.com/rack": "r1"}}}
USAGE = [
    {"available": 700, "total": 1000, "used": 300, "unit": messages.BYTES},
    {"available": 7, "total": 10, "used": 3, "unit": messages.INODES},
]


class MemoryDriver:
    """Serves from `start` to `stop`."""

    def __init__(self, socket: Path, name: str = DRIVER, capabilities: tuple[int, ...] = (messages.STAGE_UNSTAGE,)) -> None:
        self.calls: list[tuple[str, Tree]] = []
        self.refuses: dict[str, str] = {}  # a method -> what it says instead of doing anything
        self._name = name
        self._socket = socket
        self._disk = socket.with_suffix(".disk")
        self._capabilities = capabilities
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(2))

    def start(self) -> None:
        capabilities = [{"rpc": {"type": kind}} for kind in self._capabilities]
        answers: dict[str, Tree] = {
            messages.GET_INFO.path: {"type": "CSIPlugin", "name": self._name, "supported_versions": ["1.0.0"]},
            messages.NODE_GET_INFO.path: NODE_INFO,
            messages.NODE_GET_CAPABILITIES.path: {"capabilities": capabilities},
            messages.NODE_GET_VOLUME_STATS.path: {"usage": USAGE},
        }
        services: dict[str, dict[str, Any]] = {}
        for call in (value for value in vars(messages).values() if isinstance(value, Call)):
            _, service, method = call.path.split("/")
            handler = grpc.unary_unary_rpc_method_handler(self._handler(call, answers.get(call.path, {})))
            services.setdefault(service, {})[method] = handler
        for service, handlers in services.items():
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self._server.add_insecure_port(f"unix://{self._socket}")
        self._server.start()

    def _handler(self, call: Call, answer: Tree) -> Any:
        name = call.path.rpartition("/")[2]

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            values = decode(call.request, request)
            with self._lock:
                self.calls.append((name, values))
                if name in self.refuses:
                    context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.refuses[name])
                if call is messages.NODE_PUBLISH:
                    self._publish(Path(values["target_path"]), device="block" in values["volume_capability"])
                if call is messages.NODE_UNPUBLISH:
                    mounts.unmount_below(Path(values["target_path"]))
            return encode(call.answer, answer)

        return handle

    def _publish(self, target: Path, *, device: bool) -> None:
        if mounts.is_mounted(target):
            return  # once more, with fresh tokens
        if not device:
            mounts.memory(target)
            return
        target.touch()
        descriptor = os.open(self._loop_device(), os.O_PATH)
        try:
            mounts.bind(descriptor, target)
        finally:
            os.close(descriptor)

    def _loop_device(self) -> str:
        """A block device that is as large as 64 KiB of zeros, until the driver stops."""
        self._disk.write_bytes(bytes(1 << 16))
        return subprocess.run(
            ["losetup", "--find", "--show", self._disk], check=True, capture_output=True, text=True
        ).stdout.strip()

    def stop(self) -> None:
        self._server.stop(None).wait()
        self._socket.unlink(missing_ok=True)
        if self._disk.exists():
            listed = subprocess.run(["losetup", "--associated", self._disk], check=True, capture_output=True, text=True).stdout
            for line in listed.splitlines():
                subprocess.run(["losetup", "--detach", line.partition(":")[0]], check=True)
            self._disk.unlink()

    def named(self, method: str) -> list[Tree]:
        return [values for name, values in self.calls if name == method]
