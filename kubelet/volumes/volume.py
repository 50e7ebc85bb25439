"""Volume: what every volume type does, and what it is told.

`set_up` is called before the pod's containers start, and again whenever something that it shows may have changed; it does only
what is missing. It raises VolumeError with the reason; the pod's start waits and is tried again.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from kube.api.types import ConfigMap, Pod, Secret, Volume
from kubelet.downward import PodFacts
from kubelet.environment import Reference


class VolumeError(Exception):
    """A volume cannot be had (yet), for this reason."""


class Token(NamedTuple):
    text: str
    expires_at: datetime


@dataclass(frozen=True)
class VolumeContext:
    """What a volume type may use."""

    pod: Pod
    path: Path  # where the volume's files go, if it has any of its own
    objects: Mapping[Reference, "ConfigMap | Secret | None"]
    facts: PodFacts
    token: Callable[[str, int], Awaitable[Token]]  # (audience, seconds of life) -> a token of the pod's service account
    now: datetime


class Mounted(NamedTuple):
    path: Path
    refresh_at: datetime | None = None  # set up again then: something in it will have aged


class VolumeType(Protocol):
    """One type of volume."""

    field: str  # of the API's Volume: emptyDir, hostPath, ...
    plugin: str  # names its directory below pods/<uid>/volumes
    read_only: bool  # for every container: what it shows is the API's

    def references(self, volume: Volume) -> Iterator[Reference]:
        """The config maps and secrets that it shows."""

    async def set_up(self, volume: Volume, context: VolumeContext) -> Mounted: ...

    async def tear_down(self, path: Path) -> None:
        """Undo set_up; the path may be half-made or gone."""


def fs_group(pod: Pod) -> int | None:
    """The group that owns the pod's files."""
    group: int | None = getattr(pod.spec.securityContext, "fsGroup", None)
    return group
