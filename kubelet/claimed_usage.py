"""Claimed usage: how full the volumes of claims are: for /stats/summary (`pvcRef`) and the metrics kubelet_volume_stats_*.

A volume is looked at when somebody asks, at most once a minute, and not waited for long: a share's server may be away. Who
asks while a pod is still starting takes nothing from who asks after it: what is not there yet is looked for again. Volumes
without a file system of their own (hostPath, block devices) and drivers that do not tell are left out, as upstream does.
https://kubernetes.io/docs/reference/instrumentation/metrics/ · upstream pkg/kubelet/server/stats/volume_stat_calculator.go
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kube.api.types import Pod, Volume
from kube.component.clock import Clock
from kubelet.claims import Claims, claim_name, names_claim
from kubelet.disk_usage import VolumeUsage
from kubelet.pod_volumes import volume_type
from kubelet.samples import VolumeSample
from kubelet.volumes.volume import Measured, VolumeError, VolumeType

LOOK_SECONDS = 5.0


class ClaimedUsage:
    def __init__(self, claims: Claims, types: Sequence[VolumeType], root: Path, period: float, clock: Clock) -> None:
        self._claims = claims
        self._types = types
        self._root = root
        self._period = period
        self._clock = clock
        # By the pod's uid and the volume's name, with the time. None: it did not answer, and is not waited for again so soon.
        self._looks: dict[tuple[str, str], tuple[float, VolumeSample | None]] = {}
        self.last: Mapping[tuple[str, str], VolumeUsage] = {}  # by namespace and claim: as they were when somebody asked last

    async def of(self, pods: Iterable[Pod]) -> dict[str, list[VolumeSample]]:
        """By the pod's uid."""
        wanted = [(pod, volume) for pod in pods for volume in pod.spec.volumes or () if names_claim(volume)]
        samples = await asyncio.gather(*(self._sample(pod, volume) for pod, volume in wanted))
        self._looks = {key: self._looks[key] for pod, volume in wanted if (key := (pod.metadata.uid, volume.name)) in self._looks}
        found: dict[str, list[VolumeSample]] = {}
        last = {}
        for (pod, _), sample in zip(wanted, samples, strict=True):
            if sample is not None:
                found.setdefault(pod.metadata.uid, []).append(sample)
                last[pod.metadata.namespace, sample.claim] = VolumeUsage(sample.disk, sample.taken)
        self.last = last
        return found

    async def _sample(self, pod: Pod, volume: Volume) -> VolumeSample | None:
        key, now = (pod.metadata.uid, volume.name), self._clock.monotonic()
        known = self._looks.get(key)
        if known is not None and now - known[0] < self._period:
            return known[1]
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                sample = await self._looked(pod, volume)
        except TimeoutError:
            self._looks[key] = now, None
            return None
        if sample is not None:
            self._looks[key] = now, sample
        return sample

    async def _looked(self, pod: Pod, volume: Volume) -> VolumeSample | None:
        """None where nothing is, not yet or never."""
        persistent = self._claims.known(pod, volume)
        if persistent is None:
            return None
        name = persistent.metadata.name or ""
        try:
            kind = volume_type(persistent.spec, name, self._types)
            if not isinstance(kind, Measured):
                return None
            usage = await kind.usage(self._root / "pods" / pod.metadata.uid / "volumes" / kind.plugin / name)
        except (VolumeError, OSError):
            return None
        if usage is None:
            return None
        return VolumeSample(volume.name, usage.taken, usage.disk, own=False, claim=claim_name(pod, volume))
