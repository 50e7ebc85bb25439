"""Node facts: what pods need to know of the node that they run on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubelet.runtime.runtime import LogPolicy


@dataclass(frozen=True)
class NodeFacts:
    name: str
    root: Path  # --root-dir
    log_root: Path  # --log-dir
    sandbox_image: str
    addresses: tuple[str, ...]  # the node's own
    memory: int = 0  # bytes
    allocatable: Mapping[str, str] = field(default_factory=dict)
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = ""
    resolv_conf: Path = Path("/etc/resolv.conf")  # the host's, for dnsPolicy Default
    cgroup_root: str = ""
    cgroup_driver: str = "cgroupfs"
    least_oom_score: int = -1000  # the engine cannot set less than this
    dead_containers: int = 1  # of one container of a pod, beside its newest: for `logs --previous`
    logs: LogPolicy = field(default_factory=LogPolicy)
    missing_capabilities: tuple[str, ...] = ()  # of the machine itself: the engine cannot give them

    @property
    def seccomp_root(self) -> Path:
        return self.root / "seccomp"
