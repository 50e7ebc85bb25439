"""Resize: cpu and memory of containers that run, changed in place. Pure.

A pod's spec says what is wanted; the node *allocates* it where it fits, and else goes on with what the pod had: Infeasible,
where it would never fit, or Deferred until another pod leaves. What is allocated is compared with what the engine says that the
container has, so that a kubelet that was restarted needs no memory of it. A resource whose resizePolicy is RestartContainer is
given by starting the container anew. https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ ·
https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/1287-in-place-update-pod-resources
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from kube.api.meta import Tree
from kube.api.types import Container, Pod
from kube.api.views import tree_of, view
from kubelet.pod_state import Observed, all_containers
from kubelet.resources import container_limits
from kubelet.runtime.runtime import Limits, RuntimeContainer


class PendingResize(NamedTuple):
    """Why a pod does not get what it wants."""

    reason: Literal["Infeasible", "Deferred"]
    message: str


def _resources(pod: Pod) -> dict[str, Tree]:
    return {one.name: tree_of(one.resources) if one.resources is not None else {} for one in all_containers(pod)}


def differs(pod: Pod, other: Pod) -> bool:
    return _resources(pod) != _resources(other)


def holding(pod: Pod, resources: Mapping[str, Tree]) -> Pod:
    """The pod, whose containers have these resources, by name; those that are not named have their own."""
    tree = tree_of(pod)
    spec = dict(tree["spec"])
    for group in ("containers", "initContainers"):
        if group in spec:
            spec[group] = [{**one, "resources": resources.get(one["name"], one.get("resources", {}))} for one in spec[group]]
    return view(Pod, {**tree, "spec": spec})


def held_by(pod: Pod, before: Pod) -> Pod:
    """The pod with what it had before."""
    return holding(pod, _resources(before))


def allocated_before(pod: Pod) -> Pod:
    """The pod with what its status says that an earlier kubelet gave it."""
    told = [*(pod.status.containerStatuses or ()), *(pod.status.initContainerStatuses or ())]
    return holding(pod, {one.name: tree_of(one.resources) for one in told if one.resources is not None})


def wanted(pod: Pod, container: Container) -> Limits:
    """What the engine can change while the container runs."""
    return container_limits(pod, container, node_memory=1, least_oom_score=0)


def is_applied(pod: Pod, container: Container, record: RuntimeContainer, observed: Observed) -> bool:
    return _same(wanted(pod, container), observed.applied.get(record.id) or record.limits)


def needs_restart(pod: Pod, container: Container, record: RuntimeContainer, observed: Observed) -> bool:
    """Whether a resource that changed is one that the container can only have by a restart."""
    now, then = wanted(pod, container), observed.applied.get(record.id) or record.limits
    if then is None:
        return False
    changed = {
        "cpu": (now.cpu_shares, now.cpu_quota) != (then.cpu_shares, then.cpu_quota),
        "memory": now.memory != then.memory,
    }
    return any(changed.get(one.resourceName) and one.restartPolicy == "RestartContainer" for one in container.resizePolicy or ())


def _same(one: Limits, other: Limits | None) -> bool:
    """The score for the kernel's choice of a victim is given at the start only."""
    return other is None or replace(one, oom_score_adj=0) == replace(other, oom_score_adj=0)
