"""Node status: the Node object that a kubelet registers, and the status that it reports. Pure.

https://kubernetes.io/docs/reference/node/node-status/ · upstream pkg/kubelet/nodestatus/setters.go
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kube.api import quantity
from kube.api.meta import Tree
from kube.api.types import Node, NodeCondition, NodeStatus
from kube.api.views import timestamp, tree_of
from kubelet.eviction import Pressure, Threshold, least_of
from kubelet.node_info import Machine
from kubelet.runtime.runtime import Image

MAX_IMAGES, MAX_NAMES = 50, 5  # in a status; names of one image
NETWORK_NOT_READY = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:the node has no pod range yet, or its bridge is not up"
)
SHUTTING_DOWN = "node is shutting down"
RUNTIME_DOWN = "container runtime is down"


@dataclass(frozen=True)
class Identity:
    """What a node is registered as."""

    name: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str]
    taints: Sequence[Tree]
    port: int  # of the kubelet's server
    max_pods: int
    reserved: Mapping[str, str]  # for the system and Kubernetes' own programs
    thresholds: Sequence[Threshold] = ()  # what eviction keeps free


def node_tree(identity: Identity, machine: Machine) -> Tree:
    """The object to register with."""
    spec: Tree = {"taints": list(identity.taints)} if identity.taints else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": identity.name,
            "labels": labels(identity, machine),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": spec,
    }


def labels(identity: Identity, machine: Machine) -> dict[str, str]:
    architecture = machine.info["architecture"]
    return {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": identity.name,
        "kubernetes.io/os": "linux",
        **identity.labels,
    }


def capacity(identity: Identity, machine: Machine) -> dict[str, str]:
    return {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory >> 10}Ki",
        "ephemeral-storage": f"{machine.storage >> 10}Ki",
        "pods": str(identity.max_pods),
        **machine.huge_pages,
    }


def allocatable(identity: Identity, machine: Machine) -> dict[str, str]:
    """What pods may ask for: the capacity, without what is reserved, and without what eviction keeps free."""
    reserved = identity.reserved
    cpu = machine.cpus * 1000 - quantity.milli(reserved.get("cpu", "0"))
    kept = least_of(identity.thresholds, "memory.available", machine.memory)
    memory = machine.memory - quantity.value(reserved.get("memory", "0")) - kept
    kept = least_of(identity.thresholds, "nodefs.available", machine.storage)
    storage = machine.storage - quantity.value(reserved.get("ephemeral-storage", "0")) - kept
    return {
        "cpu": f"{cpu}m" if cpu % 1000 else str(cpu // 1000),
        "memory": f"{memory >> 10}Ki",
        "ephemeral-storage": str(storage),
        "pods": str(identity.max_pods),
        **machine.huge_pages,
    }


def node_status(
    identity: Identity,
    machine: Machine,
    pressure: Pressure,
    not_ready: str,
    images: Iterable[Image],
    known: Iterable[NodeCondition],
    now: datetime,
) -> Tree:
    """`not_ready`: why the node cannot run pods, if it cannot. Heartbeat times are left to `with_heartbeat`."""
    addresses = [{"type": "InternalIP", "address": one} for one in identity.addresses]
    largest = sorted((one for one in images if one.tags), key=lambda one: -one.size)[:MAX_IMAGES]
    return {
        "addresses": [*addresses, {"type": "Hostname", "address": identity.name}],
        "capacity": capacity(identity, machine),
        "allocatable": allocatable(identity, machine),
        "conditions": conditions(pressure, not_ready, known, now),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": identity.port}},
        "images": [{"names": [*one.digests, *one.tags][:MAX_NAMES], "sizeBytes": one.size} for one in largest],
        "nodeInfo": machine.info,
        "runtimeHandlers": [{"name": "", "features": {"recursiveReadOnlyMounts": False, "userNamespaces": False}}],
        "features": {"supplementalGroupsPolicy": False},
    }


def conditions(pressure: Pressure, not_ready: str, known: Iterable[NodeCondition], now: datetime) -> list[Tree]:
    ready = ("False", "KubeletNotReady", not_ready) if not_ready else ("True", "KubeletReady", "kubelet is posting ready status")
    has = "kubelet has"
    found = [
        _pressure("MemoryPressure", pressure.memory, ("KubeletHasInsufficientMemory", f"{has} insufficient memory available"),
                  ("KubeletHasSufficientMemory", f"{has} sufficient memory available")),
        _pressure("DiskPressure", pressure.disk, ("KubeletHasDiskPressure", f"{has} disk pressure"),
                  ("KubeletHasNoDiskPressure", f"{has} no disk pressure")),
        _pressure("PIDPressure", pressure.pid, ("KubeletHasInsufficientPID", f"{has} insufficient PID available"),
                  ("KubeletHasSufficientPID", f"{has} sufficient PID available")),
        {"type": "Ready", "status": ready[0], "reason": ready[1], "message": ready[2]},
    ]  # fmt: skip
    before = {one.type: one for one in known}
    for condition in found:
        old = before.get(condition["type"])
        kept = old is not None and old.status == condition["status"] and old.lastTransitionTime is not None
        condition["lastTransitionTime"] = timestamp(old.lastTransitionTime if kept else now)
    return found


def _pressure(kind: str, holds: bool, when: tuple[str, str], otherwise: tuple[str, str]) -> Tree:
    reason, message = when if holds else otherwise
    return {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message}


class Devices(NamedTuple):
    """How many devices there are of each resource, and how many are well."""

    there: Mapping[str, int]
    usable: Mapping[str, int]


NO_DEVICES = Devices({}, {})


def with_devices(status: Tree, devices: Devices) -> Tree:
    there, usable = ({name: str(count) for name, count in counts.items()} for counts in devices)
    return {**status, "capacity": {**status["capacity"], **there}, "allocatable": {**status["allocatable"], **usable}}


def with_extended(status: Tree, known: NodeStatus | None) -> Tree:
    """And the resources that others told of: what the object's capacity has besides the node's own, all of it, is allocatable."""
    capacity, allocatable = (known.capacity or {}, known.allocatable or {}) if known is not None else ({}, {})
    own = status["capacity"].keys()
    extended = {name: amount for name, amount in capacity.items() if name not in own}
    gone = {name: None for name in allocatable if name not in own and name not in capacity}
    return {**status, "allocatable": {**status["allocatable"], **extended, **gone}}


def overwritten(status: Tree, known: NodeStatus) -> bool:
    """Whether somebody changed what is the kubelet's to tell."""
    told: Tree = tree_of(known)
    plain = ("daemonEndpoints", "nodeInfo")
    amounts = ("capacity", "allocatable")
    return any(told.get(name) != status[name] for name in plain) or any(
        (told.get(name) or {}).get(resource) != amount for name in amounts for resource, amount in status[name].items()
    )


def rebooted(node: Node, machine: Machine) -> bool:
    """Whether the machine has started anew since the node told its status last."""
    before = node.status.nodeInfo.bootID if node.status.nodeInfo is not None else ""
    return bool(before) and before != machine.info["bootID"]


def with_heartbeat(status: Tree, now: datetime) -> Tree:
    beaten = [{**one, "lastHeartbeatTime": timestamp(now)} for one in status["conditions"]]
    return {**status, "conditions": beaten}


def condition_events(old: Mapping[str, str], new: Iterable[Tree]) -> Iterable[tuple[str, str]]:
    """(reason, message) for each condition that changed its status, in upstream's words."""
    words = {
        ("Ready", "True"): "NodeReady",
        ("Ready", "False"): "NodeNotReady",
        ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
        ("MemoryPressure", "False"): "NodeHasSufficientMemory",
        ("DiskPressure", "True"): "NodeHasDiskPressure",
        ("DiskPressure", "False"): "NodeHasNoDiskPressure",
        ("PIDPressure", "True"): "NodeHasInsufficientPID",
        ("PIDPressure", "False"): "NodeHasSufficientPID",
    }
    for condition in new:
        if old.get(condition["type"]) != condition["status"]:
            yield words[condition["type"], condition["status"]], condition["type"]


def parse_taint(text: str) -> Tree:
    """key=value:effect, or key:effect."""
    head, _, effect = text.rpartition(":")
    key, _, value = head.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}
