"""Volume: what every volume type does, and what it is told.

`set_up` is called before the pod's containers start, and again whenever something that it shows may have changed; it does only
what is missing. It raises VolumeError with the reason; the pod's start waits and is tried again.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from kube.api.types import ConfigMap, PersistentVolume, Pod, Secret, Volume
from kubelet.disk_usage import VolumeUsage
from kubelet.downward import PodFacts
from kubelet.environment import Reference
from kubelet.runtime.runtime import Image


class VolumeError(Exception):
    """A volume cannot be had (yet), for this reason."""


class ClaimNotReady(VolumeError):
    """The volume's claim is not there, or not bound: nothing of the node's doing, and soon over."""


class NotAttached(VolumeError):
    """The volume is not attached to this node yet: others see to that, and it is looked at again."""


class Growth(Protocol):
    """A claim's volume may be larger than the file system that its pods see."""

    async def wanted(self) -> int:
        """How large the file system should be, in bytes; 0: it is. Never raises: what is not known now is asked again."""

    def failed(self, why: str) -> None: ...

    async def done(self) -> None:
        """The file system is as large as the volume."""


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
    image: Callable[[str, str], Awaitable[Image]]  # (reference, pull policy) -> the image, present. Raises StartError
    now: datetime
    persistent: PersistentVolume | None = None  # where the pod names it by a claim
    growth: Growth | None = None  # the same
    read_only: bool = False  # the pod wants the claim's volume so


class Mounted(NamedTuple):
    path: Path
    refresh_at: datetime | None = None  # set up again then: something in it will have aged
    device: bool = False  # a block device, not a file system


class VolumeType(Protocol):
    """One type of volume."""

    field: str  # of the API's Volume: emptyDir, hostPath, ...
    plugin: str  # names its directory below pods/<uid>/volumes
    read_only: bool  # for every container: what it shows is the API's

    def references(self, volume: Volume) -> Iterator[Reference]:
        """The config maps and secrets that it shows."""

    async def set_up(self, source: Any, context: VolumeContext) -> Mounted:
        """`source` is what the field says, in the pod or in the volume that its claim is bound to."""
        ...

    async def tear_down(self, path: Path) -> None:
        """Undo set_up; the path may be half-made or gone."""


def fs_group(pod: Pod) -> int | None:
    """The group that owns the pod's files."""
    group: int | None = getattr(pod.spec.securityContext, "fsGroup", None)
    return group


def change_policy(pod: Pod) -> str:
    """Whether a volume whose top belongs to the group already is gone through again."""
    return str(getattr(pod.spec.securityContext, "fsGroupChangePolicy", None) or "Always")


@runtime_checkable
class Measured(Protocol):
    """A type of volume with a file system of its own, which can be full."""

    async def usage(self, path: Path) -> VolumeUsage | None:
        """Of the volume at a pod's place for it; None where nobody can say."""
