"""Leftovers: removes what is on the node of pods that no source names and of which no container is left.

Directories below --root-dir and --log-dir of pods that ended while no kubelet ran, and links to logs that are gone. A directory
goes when two looks in a row found nobody for it, and only after all that is mounted below it is unmounted: what a volume shows
is never removed. Upstream: cleanupOrphanedPodDirs, and evictPodLogsDirectories of kuberuntime_gc.go
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from kube.api.types import Pod
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.node_facts import NodeFacts
from kubelet.pod_files import link_directory
from kubelet.runtime.runtime import Runtime, RuntimeFailure
from kubelet.volumes.mounts import mounted_below, unmount_below

log = get_logger("kubelet.leftovers")

EVERY_SECONDS = 60.0  # upstream's ContainerGCPeriod


class Leftovers:
    def __init__(self, facts: NodeFacts, pods: Callable[[], Iterable[Pod]], runtime: Runtime, clock: Clock) -> None:
        """`pods`: those that this node was told of."""
        self._directory = facts.root / "pods"
        self._logs = facts.log_root
        self._links = link_directory(facts.log_root)
        self._pods = pods
        self._runtime = runtime
        self._clock = clock
        self._suspects: set[Path] = set()

    async def run(self) -> None:
        """Until cancelled; begun when every source of pods has spoken."""
        while True:
            try:
                await self.look()
            except (RuntimeFailure, OSError) as error:
                log.warning("leftovers cannot be removed", reason=error)
            await self._clock.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        found = await asyncio.to_thread(self._directories)
        held = {one.uid for one in await self._runtime.holders()}
        held |= {pod.metadata.uid for pod in self._pods()}
        suspects = {path for path in found if uid_of(path) not in held}
        await asyncio.to_thread(_remove, suspects & self._suspects, self._links)
        self._suspects = suspects - self._suspects

    def _directories(self) -> list[Path]:
        return [path for root in (self._directory, self._logs) if root.is_dir() for path in root.iterdir() if path.is_dir()]


def uid_of(path: Path) -> str:
    """`<uid>` is a pod's directory, `<namespace>_<name>_<uid>` that of its logs."""
    return path.name.rpartition("_")[2]


def _remove(directories: Iterable[Path], links: Path) -> None:
    for directory in directories:
        unmount_below(directory)
        if mounted_below(directory):
            continue
        log.info("removing what is left of a pod", directory=directory)
        shutil.rmtree(directory, ignore_errors=True)
    for link in links.iterdir() if links.is_dir() else ():
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)
