"""Image collector: takes images that nothing uses off a disk that fills up.

At 85 % the disk of the images is brought down to 80 %: the image that was used longest ago goes first; none that a container
has, none that is younger than two minutes, and none that is pinned. Pinned are the pause image and, our choice, every image
that never came from a registry: it could not be had again. https://kubernetes.io/docs/concepts/architecture/garbage-collection/
#containers-images · upstream pkg/kubelet/images/image_gc_manager.go
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.disk_usage import FileSystem
from kubelet.runtime.runtime import Image, Runtime, RuntimeFailure

log = get_logger("kubelet.images")

EVERY_SECONDS = 300.0


@dataclass(frozen=True)
class ImagePolicy:
    high: int = 85  # percent
    low: int = 80
    min_age: timedelta = timedelta(minutes=2)


@dataclass(frozen=True)
class Known:
    """What is remembered of an image."""

    detected: datetime
    last_used: datetime


def to_free(disk: FileSystem, policy: ImagePolicy) -> int:
    """Bytes; 0 below the high mark. Pure."""
    percent = 100 - disk.available * 100 // max(1, disk.capacity)
    return disk.capacity * (100 - policy.low) // 100 - disk.available if percent >= policy.high else 0


def removable(
    images: Iterable[Image], used: set[str], pinned: str, known: Mapping[str, Known], policy: ImagePolicy, now: datetime
) -> list[Image]:
    """In the order in which they go. Pure."""
    candidates = [
        one
        for one in images
        if one.id not in used and one.digests and pinned not in one.tags and now - known[one.id].detected >= policy.min_age
    ]
    return sorted(candidates, key=lambda one: (known[one.id].last_used, known[one.id].detected))


class ImageCollector:
    def __init__(self, runtime: Runtime, pinned: str, policy: ImagePolicy, clock: Clock, disk: Callable[[], FileSystem]) -> None:
        self._runtime = runtime
        self._pinned = pinned
        self._policy = policy
        self._clock = clock
        self._disk = disk
        self._known: dict[str, Known] = {}
        self.mounted: Callable[[], set[str]] = set  # names of images that pods have as volumes
        self.on_images: Callable[[set[str]], None] = _nobody  # is told the ids of all that are there
        self.on_failure: Callable[[str, str], None] = _nothing  # is told (reason, message) where too little could be freed

    async def run(self) -> None:
        """Look every five minutes until cancelled."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            try:
                await self.collect()
            except (RuntimeFailure, OSError) as error:
                log.warning("image garbage collection failed", reason=error)

    async def collect(self) -> int:
        """Free what the marks ask for; returns how many bytes were freed."""
        images = await self._detect()
        wanted = to_free(await asyncio.to_thread(self._disk), self._policy)
        if wanted <= 0:
            return 0
        freed = await self._remove(images, wanted)
        if freed < wanted:
            eligible = f"Attempted to free {wanted} bytes, but only found {freed} bytes eligible to free."
            self.on_failure("FreeDiskSpaceFailed", f"Failed to garbage collect required amount of images. {eligible}")
        return freed

    async def remove_unused(self) -> int:
        """All that nothing uses: the disk is short."""
        return await self._remove(await self._detect(), None)

    async def _detect(self) -> list[Image]:
        now, images = self._clock.now(), await self._runtime.images()
        await asyncio.to_thread(self.on_images, {one.id for one in images})
        used = await self._used(images)
        fresh: dict[str, Known] = {}
        for one in images:
            known = self._known.get(one.id)
            last = now if one.id in used else known.last_used if known is not None else datetime.min.replace(tzinfo=now.tzinfo)
            fresh[one.id] = Known(known.detected if known is not None else now, last)
        self._known = fresh
        return images

    async def _used(self, images: list[Image]) -> set[str]:
        names = self.mounted()
        mounted = {one.id for one in images if names.intersection((*one.tags, *one.digests))}
        return mounted | {one.image_id for one in await self._runtime.holders()}

    async def _remove(self, images: list[Image], wanted: int | None) -> int:
        freed = 0
        order = removable(images, await self._used(images), self._pinned, self._known, self._policy, self._clock.now())
        for one in order:
            if wanted is not None and freed >= wanted:
                break
            try:
                await self._runtime.remove_image(one.id)
            except RuntimeFailure as error:
                log.warning("image cannot be removed", image=one.id, reason=error)
                continue
            log.info("image removed to free bytes", image=one.id, size=one.size)
            freed += one.size
        return freed


def _nobody(ids: set[str]) -> None:
    """Nobody keeps anything of images."""


def _nothing(reason: str, message: str) -> None:
    """Nobody wants to know."""
