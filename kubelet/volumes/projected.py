"""Projected volumes: several sources in one directory; among them the pod's service account token.

A token lives an hour by default, is bound to the pod, and is written anew at 80 % of its life (or after a day).
https://kubernetes.io/docs/concepts/storage/projected-volumes/ · upstream pkg/kubelet/token/token_manager.go
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from kube.api.types import Pod, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume, VolumeProjection
from kubelet.environment import Reference
from kubelet.pod_state import all_containers
from kubelet.volumes import atomic_writer, mounts
from kubelet.volumes.atomic_writer import File
from kubelet.volumes.payload import DEFAULT_MODE, downward_files, object_files, safe_path
from kubelet.volumes.volume import Mounted, Token, VolumeContext, VolumeError, fs_group

DEFAULT_TOKEN_SECONDS = 3600
REFRESH_AT_SHARE = 0.8  # of the token's life
REFRESH_AFTER = timedelta(hours=24)  # at the latest
TOKEN_MODE = 0o600  # where the pod's user or group is known


class ProjectedVolume:
    field = "projected"
    plugin = "kubernetes.io~projected"
    read_only = True

    def __init__(self) -> None:
        self._tokens: dict[Path, tuple[Token, datetime]] = {}  # and when to write a new one

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
                token, refresh_at = await self._token(one.serviceAccountToken, context)
                files[safe_path(one.serviceAccountToken.path)] = token_file(context.pod, token, mode)
                refresh.append(refresh_at)
            else:
                files |= _files(one, mode, context)
        await asyncio.to_thread(mounts.memory, context.path)
        await asyncio.to_thread(atomic_writer.write, context.path, files, fs_group(context.pod), context.now)
        return Mounted(context.path, min(refresh, default=None))

    async def _token(self, source: ServiceAccountTokenProjection, context: VolumeContext) -> tuple[str, datetime]:
        place = context.path / source.path
        known = self._tokens.get(place)
        if known is None or known[1] <= context.now:
            token = await context.token(source.audience or "", source.expirationSeconds or DEFAULT_TOKEN_SECONDS)
            known = token, refresh_time(context.now, token.expires_at)
            self._tokens[place] = known
        return known[0].text, known[1]

    async def tear_down(self, path: Path) -> None:
        for place in [one for one in self._tokens if one.is_relative_to(path)]:
            del self._tokens[place]
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


def refresh_time(now: datetime, expires_at: datetime) -> datetime:
    return min(now + (expires_at - now) * REFRESH_AT_SHARE, now + REFRESH_AFTER)


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
