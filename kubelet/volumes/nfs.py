"""NFS volumes: a share that another host exports, mounted by the node's own mount program (which needs its `mount.nfs`).

https://kubernetes.io/docs/concepts/storage/volumes/#nfs · upstream pkg/volume/nfs
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from kube.api.types import NFSVolumeSource, Volume
from kubelet.disk_usage import VolumeUsage
from kubelet.environment import Reference
from kubelet.volumes import mounts
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError

MOUNT_SECONDS = 120.0  # a server that has not answered by then is away; the mount is tried again


class NFSVolume:
    field = "nfs"
    plugin = "kubernetes.io~nfs"
    read_only = False

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: NFSVolumeSource, context: VolumeContext) -> Mounted:
        if not await asyncio.to_thread(mounts.is_mounted, context.path):
            await asyncio.to_thread(context.path.mkdir, parents=True, exist_ok=True)
            options = context.persistent.spec.mountOptions if context.persistent is not None else None
            await _mount(arguments(source, context.path, options or (), read_only=context.read_only))
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.release, path)

    async def usage(self, path: Path) -> VolumeUsage | None:
        return await mounts.usage(path)


def arguments(source: NFSVolumeSource, target: Path, options: Sequence[str], *, read_only: bool = False) -> list[str]:
    """For the mount program. Pure."""
    given = [*(["ro"] if source.readOnly or read_only else []), *options]
    host = f"[{source.server}]" if ":" in source.server and not source.server.startswith("[") else source.server
    return ["-t", "nfs", *(["-o", ",".join(given)] if given else []), f"{host}:{source.path}", str(target)]


async def _mount(words: list[str]) -> None:
    """Raises VolumeError with what the program said, as upstream words it."""
    process = await asyncio.create_subprocess_exec(
        "mount", *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(MOUNT_SECONDS):
            output, _ = await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as error:
        process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
        raise VolumeError(f"mount failed: {' '.join(words)}: timed out after {MOUNT_SECONDS:g}s") from error
    if process.returncode:
        said = output.decode(errors="replace")
        raise VolumeError(
            f"mount failed: exit status {process.returncode}\n"
            f"Mounting command: mount\nMounting arguments: {' '.join(words)}\nOutput: {said}"
        )
