"""HostPath volumes: a path of the node, checked to be what the pod says it is.

https://kubernetes.io/docs/concepts/storage/volumes/#hostpath · upstream pkg/volume/hostpath
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from kube.api.types import HostPathVolumeSource, Volume
from kubelet.environment import Reference
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError

_TESTS: dict[str, tuple[Callable[[Path], bool], str]] = {
    "Directory": (Path.is_dir, "a directory"),
    "File": (Path.is_file, "a file"),
    "Socket": (Path.is_socket, "a socket file"),
    "CharDevice": (Path.is_char_device, "a character device"),
    "BlockDevice": (Path.is_block_device, "a block device"),
}


class HostPathVolume:
    field = "hostPath"
    plugin = "kubernetes.io~host-path"
    read_only = False

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: HostPathVolumeSource, context: VolumeContext) -> Mounted:
        path = Path(source.path)
        await asyncio.to_thread(check, path, source.type or "")
        return Mounted(path)

    async def tear_down(self, path: Path) -> None:
        """The path is the node's own."""


def check(path: Path, kind: str) -> None:
    """Raises VolumeError where the path is not of the stated type; makes it for the types that ask for that."""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True, mode=0o755)
        kind = "Directory"
    elif kind == "FileOrCreate":
        if not path.exists():
            path.touch(0o644)
        kind = "File"
    elif kind == "":
        if not path.exists():
            path.mkdir(parents=True, exist_ok=True, mode=0o755)  # as Docker does for a bind mount
        return
    test, name = _TESTS[kind]
    if not test(path):
        raise VolumeError(f"hostPath type check failed: {path} is not {name}")
