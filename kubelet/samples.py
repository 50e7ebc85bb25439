"""Samples: one look at what the node, its pods and their containers use, for all that tell or decide by it.

A look reads cgroup files (a hundredth of a millisecond a container) and remembers the sizes of directories for a minute; it
blocks, so it is made in a thread. /stats/summary, the metrics and the eviction manager have the same look, in their own words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kube.api.types import Pod
from kubelet.cgroup_usage import Usage, cgroup_path, machine_usage, usage_of
from kubelet.cgroups import MOUNT
from kubelet.disk_usage import AGE_SECONDS, DirectorySizes, FileSystem, Taken, file_system
from kubelet.network_usage import Interface, interfaces
from kubelet.node_facts import NodeFacts
from kubelet.pod_files import log_directory
from kubelet.runtime.runtime import RuntimeContainer

Running = Mapping[str, list[RuntimeContainer]]  # each pod's running containers and sandbox, by its uid

ON_DISK = ("emptyDir",)  # volumes whose files count as the pod's own ephemeral storage
SHOWN = {  # a volume's field in the API -> its directory below pods/<uid>/volumes
    "emptyDir": "kubernetes.io~empty-dir",
    "configMap": "kubernetes.io~configmap",
    "secret": "kubernetes.io~secret",
    "projected": "kubernetes.io~projected",
    "downwardAPI": "kubernetes.io~downward-api",
}


@dataclass(frozen=True)
class Reading:
    """What is left of one thing."""

    available: int
    capacity: int


@dataclass(frozen=True)
class ContainerSample:
    record: RuntimeContainer
    usage: Usage
    logs: Taken
    root: Taken  # what it wrote beside its image


@dataclass(frozen=True)
class VolumeSample:
    name: str
    taken: Taken
    disk: FileSystem
    own: bool  # counts as the pod's ephemeral storage
    claim: str = ""  # whose volume it is


Claimed = Mapping[str, Sequence[VolumeSample]]  # by the pod's uid


@dataclass(frozen=True)
class PodSample:
    pod: Pod
    usage: Usage
    containers: tuple[ContainerSample, ...]
    volumes: tuple[VolumeSample, ...]
    network: tuple[Interface, ...]  # none on the host's network

    @property
    def ephemeral(self) -> Taken:
        """Local storage that is gone with the pod: written layers, logs, volumes on the node's disk."""
        parts = [part for one in self.containers for part in (one.logs, one.root)]
        parts += [one.taken for one in self.volumes if one.own]
        return Taken(sum(one.size for one in parts), sum(one.inodes for one in parts))


@dataclass(frozen=True)
class NodeSample:
    at: datetime
    name: str
    booted_at: datetime
    usage: Usage
    memory_available: int
    disk: FileSystem  # of --root-dir
    image_disk: FileSystem  # of the engine's data
    network: tuple[Interface, ...]
    processes: int
    max_processes: int
    system: Mapping[str, Usage]  # system containers: kubelet, pods
    pods: tuple[PodSample, ...]


class Sampler:
    def __init__(self, facts: NodeFacts, image_root: Path, period: float = AGE_SECONDS, mount: Path = MOUNT) -> None:
        self._facts = facts
        self._image_root = image_root if image_root.is_dir() else facts.root  # the engine may be on another machine's disk
        self._mount = mount
        self.period = period  # how long the size of a directory counts, in seconds
        self._sizes = DirectorySizes(period)

    def readings(self) -> dict[str, Reading]:
        """What is left of the node, by eviction signal: cheap to ask. Blocking."""
        machine, node, images = machine_usage(), file_system(self._facts.root), file_system(self._image_root)
        processes, most = process_counts()
        return {
            "memory.available": Reading(machine.memory_limit - machine.working_set, machine.memory_limit),
            "nodefs.available": Reading(node.available, node.capacity),
            "imagefs.available": Reading(images.available, images.capacity),
            "pid.available": Reading(most - processes, most),
            **({"nodefs.inodesFree": Reading(node.inodes_free, node.inodes)} if node.inodes else {}),
            **({"imagefs.inodesFree": Reading(images.inodes_free, images.inodes)} if images.inodes else {}),
        }

    def image_disk(self) -> FileSystem:
        """Of the engine's data. Blocking."""
        return file_system(self._image_root)

    def sample(self, pods: Iterable[Pod], running: Running, claimed: Claimed | None = None) -> NodeSample:
        """`claimed`: the volumes of claims, where somebody wants to know. Blocking."""
        machine = machine_usage()
        up_seconds = float(Path("/proc/uptime").read_text().split()[0])
        now = datetime.now(UTC)
        processes, most = process_counts()
        return NodeSample(
            at=now,
            name=self._facts.name,
            booted_at=now - timedelta(seconds=up_seconds),
            usage=machine,
            memory_available=machine.memory_limit - machine.working_set,
            disk=file_system(self._facts.root),
            image_disk=file_system(self._image_root),
            network=tuple(interfaces("self")),
            processes=processes,
            max_processes=most,
            system={"kubelet": _own_usage(), "pods": usage_of(self._mount, self._top())},
            pods=tuple(
                self._pod(pod, running.get(pod.metadata.uid, []), (claimed or {}).get(pod.metadata.uid, ())) for pod in pods
            ),
        )

    def _top(self) -> str:
        if self._facts.cgroup_driver == "systemd":
            return "kubepods.slice"
        return "/".join(part for part in (self._facts.cgroup_root.strip("/"), "kubepods") if part)

    def usage(self, pod: Pod, container_id: str = "") -> Usage:
        path = cgroup_path(pod, container_id, self._facts.cgroup_root, self._facts.cgroup_driver)
        return usage_of(self._mount, path)

    def _pod(self, pod: Pod, running: list[RuntimeContainer], claimed: Iterable[VolumeSample]) -> PodSample:
        sandbox = next((one for one in running if one.is_sandbox), None)
        own_network = sandbox is not None and not pod.spec.hostNetwork
        return PodSample(
            pod=pod,
            usage=self.usage(pod),
            containers=tuple(self._container(pod, one) for one in running if not one.is_sandbox),
            volumes=(*self._volumes(pod), *claimed),
            network=tuple(interfaces(sandbox.pid)) if own_network and sandbox is not None else (),
        )

    def _container(self, pod: Pod, record: RuntimeContainer) -> ContainerSample:
        own = log_directory(self._facts.log_root, record.pod) / record.name / f"{record.attempt}.log"
        logs = _log_files([Path(record.log_path), own]) if record.log_path else Taken()
        root = self._sizes.of(Path(record.writable_layer)) if record.writable_layer else Taken()
        return ContainerSample(record, self.usage(pod, record.id), logs, root)

    def _volumes(self, pod: Pod) -> Iterable[VolumeSample]:
        for volume in pod.spec.volumes or ():
            field = next((name for name in SHOWN if getattr(volume, name, None) is not None), "")
            path = self._facts.root / "pods" / pod.metadata.uid / "volumes" / SHOWN.get(field, "") / volume.name
            if field and path.is_dir():
                yield VolumeSample(volume.name, self._sizes.of(path), file_system(path), _is_own(volume, field))


def process_counts() -> tuple[int, int]:
    """How many processes and threads there are, and how many there may be."""
    running = Path("/proc/loadavg").read_text().split("/")[1].split()[0]
    limits = [Path(f"/proc/sys/kernel/{name}").read_text() for name in ("pid_max", "threads-max")]
    return int(running), min(int(one) for one in limits)


def _is_own(volume: Any, field: str) -> bool:
    return field in ON_DISK and not volume.emptyDir.medium


def _own_usage() -> Usage:
    """This process's, by the kernel's account of it: it need not have a cgroup of its own."""
    words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    user, system = int(words[11]) * 10_000_000, int(words[12]) * 10_000_000
    pages = [int(word) * 4096 for word in Path("/proc/self/statm").read_text().split()[:3]]
    return Usage(user + system, user, system, memory=pages[1], working_set=pages[1], resident=pages[1] - pages[2])


def _log_files(paths: Iterable[Path]) -> Taken:
    """The logs and their rotated files."""
    sizes = []
    for one in (each for path in paths for each in path.parent.glob(f"{path.name}*")):
        try:
            sizes.append(one.stat().st_size)
        except OSError:
            continue
    return Taken(sum(sizes), len(sizes))
