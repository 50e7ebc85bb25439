"""Projected volumes: several sources in one directory; among them the pod's service account token.

A token lives an hour by default, is bound to the pod, and is written anew when it ages (`pod_tokens.py`).
https://kubernetes.io/docs/concepts/storage/projected-volumes/
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from kube.api.types import Pod, ProjectedVolumeSource, Volume, VolumeProjection
from kubelet.environment import Reference
from kubelet.pod_state import all_containers
from kubelet.volumes import atomic_writer, mounts
from kubelet.volumes.atomic_writer import File
from kubelet.volumes.payload import DEFAULT_MODE, downward_files, object_files, safe_path
from kubelet.volumes.pod_tokens import PodTokens
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError, fs_group

TOKEN_MODE = 0o600  # where the pod's user or group is known


class ProjectedVolume:
    field = "projected"
    plugin = "kubernetes.io~projected"
    read_only = True

    def __init__(self) -> None:
        self._tokens = PodTokens()

    def references(self, volume: Volume) -> Iterator[Reference]:
        for source in volume.projected.sources or ():
            if source.configMap is not None:
                yield Reference("ConfigMap", source.configMap.name)
            if source.secret is not None:
                yield Reference("Secret", source.secret.name)

    async def set_up(self, source: ProjectedVolumeSource, context: VolumeContext) -> Mounted:
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        files: dict[str, File] = {}
        refresh: list[datetime] = []
        for one in source.sources or ():
            if one.serviceAccountToken is not None:
                wanted = one.serviceAccountToken
                kept = await self._tokens.get(context.path / wanted.path, wanted.audience or "", wanted.expirationSeconds, context)
                files[safe_path(wanted.path)] = token_file(context.pod, kept.token.text, mode)
                refresh.append(kept.refresh_at)
            else:
                files |= _files(one, mode, context)
        await asyncio.to_thread(mounts.memory, context.path)
        await asyncio.to_thread(atomic_writer.write, context.path, files, fs_group(context.pod), context.now)
        return Mounted(context.path, min(refresh, default=None))

    async def tear_down(self, path: Path) -> None:
        self._tokens.forget(path)
        await asyncio.to_thread(mounts.remove, path)


def _files(source: VolumeProjection, mode: int, context: VolumeContext) -> dict[str, File]:
    if source.configMap is not None:
        optional = bool(source.configMap.optional)
        name, items = source.configMap.name, source.configMap.items
        return object_files("ConfigMap", name, context.objects, items, mode=mode, optional=optional)
    if source.secret is not None:
        optional = bool(source.secret.optional)
        return object_files("Secret", source.secret.name, context.objects, source.secret.items, mode=mode, optional=optional)
    if source.downwardAPI is not None:
        return downward_files(context.pod, source.downwardAPI.items, mode, context.facts)
    raise VolumeError("projected volume has a source of a type that this kubelet does not know")


def token_file(pod: Pod, token: str, mode: int) -> File:
    """Readable for the pod's user alone, if all its containers run as one; for its group, if it has one."""
    owner = _one_user(pod)
    narrowed = owner is not None or fs_group(pod) is not None
    return File(token.encode(), TOKEN_MODE if narrowed else mode, owner)


def _one_user(pod: Pod) -> int | None:
    of_pod = getattr(pod.spec.securityContext, "runAsUser", None)
    users = {of_pod if (own := getattr(one.securityContext, "runAsUser", None)) is None else own for one in all_containers(pod)}
    common: int | None = users.pop() if len(users) == 1 else None
    return common
