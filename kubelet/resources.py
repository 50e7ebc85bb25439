"""Resources: from a pod's requests and limits to what the kernel is told: shares, quota, memory, OOM score, cgroup. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ · upstream pkg/kubelet/cm/helpers_linux.go,
pkg/kubelet/qos/policy.go
"""

from kube.api.pod_qos import qos_class
from kube.api.pod_resources import Amounts, amounts, limits, requests
from kube.api.types import Container, Pod
from kubelet.pod_state import all_containers
from kubelet.runtime.docker_config import QUOTA_PERIOD
from kubelet.runtime.runtime import Limits

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"

MIN_SHARES, MAX_SHARES = 2, 262_144
SHARES_PER_CPU = 1024
MIN_QUOTA = 1000  # microseconds: the kernel refuses less
GUARANTEED_OOM_SCORE, BEST_EFFORT_OOM_SCORE = -997, 1000
CRITICAL_PRIORITY = 2_000_000_000
LIMITED = ("cpu", "memory")  # the resources that decide the class


def _counted(container: Container, side: str) -> Amounts:
    stated = amounts(getattr(container.resources, side, None))
    return {name: amount for name, amount in stated.items() if name in LIMITED and amount}


def container_limits(pod: Pod, container: Container, node_memory: int, least_oom_score: int) -> Limits:
    """`least_oom_score`: the engine may be unable to give less (see capabilities)."""
    limit = amounts(getattr(container.resources, "limits", None))
    request = {**limit, **amounts(getattr(container.resources, "requests", None))}
    return Limits(
        cpu_shares=cpu_shares(request.get("cpu", 0)),
        cpu_quota=cpu_quota(limit.get("cpu", 0)),
        memory=limit.get("memory", 0),
        oom_score_adj=max(oom_score_adj(pod, request.get("memory", 0), node_memory), least_oom_score),
    )


def pod_limits(pod: Pod) -> Limits:
    """For the pod's own cgroup; a side is limited only where the pod itself or every container is."""
    limit, own = limits(pod), amounts(getattr(pod.spec.resources, "limits", None))
    whole = {name for name in LIMITED if own.get(name) or all(_counted(one, "limits").get(name) for one in all_containers(pod))}
    return Limits(
        cpu_shares=cpu_shares(requests(pod).get("cpu", 0)),
        cpu_quota=cpu_quota(limit.get("cpu", 0)) if "cpu" in whole else 0,
        memory=limit.get("memory", 0) if "memory" in whole else 0,
    )


def cpu_shares(millicores: int) -> int:
    return min(MAX_SHARES, max(MIN_SHARES, millicores * SHARES_PER_CPU // 1000))


def cpu_quota(millicores: int) -> int:
    """Microseconds in every period; 0 without a limit."""
    return max(MIN_QUOTA, millicores * QUOTA_PERIOD // 1000) if millicores else 0


def oom_score_adj(pod: Pod, memory_request: int, node_memory: int) -> int:
    """The less a burstable container asked for, the sooner the kernel ends it."""
    qos = qos_class(pod)
    if qos == GUARANTEED or (pod.spec.priority or 0) >= CRITICAL_PRIORITY:
        return GUARANTEED_OOM_SCORE
    if qos == BEST_EFFORT:
        return BEST_EFFORT_OOM_SCORE
    score = 1000 - 1000 * memory_request // max(1, node_memory)
    return min(BEST_EFFORT_OOM_SCORE - 1, max(1000 + GUARANTEED_OOM_SCORE, score))


def cgroup_segments(pod: Pod) -> list[str]:
    """The pod's place below the cgroup root: kubepods, its class (none for Guaranteed), itself."""
    qos = qos_class(pod)
    return ["kubepods", *([] if qos == GUARANTEED else [qos.lower()]), f"pod{pod.metadata.uid}"]


def cgroup_parent(pod: Pod, cgroup_root: str, driver: str) -> str:
    """As the engine wants it told: a path for cgroupfs, a slice (whose name repeats its parents) for systemd."""
    segments = cgroup_segments(pod)
    if driver == "systemd":
        return "-".join(segment.replace("-", "_") for segment in segments) + ".slice"
    return "/".join([cgroup_root.rstrip("/"), *segments])
