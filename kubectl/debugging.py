"""Debugging: the containers and pods that `kubectl debug` makes, by its profiles. Pure.

https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/ · KEP-1441, KEP-4292
"""

import copy
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from kube.api.meta import Tree
from kubectl.errors import CommandError

PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of generated names: no words, no digits that look like letters
HOST = "host-root"
RIGHTS: dict[str, Tree | None] = {  # a profile -> the securityContext of its container
    "general": {"capabilities": {"add": ["SYS_PTRACE"]}},
    "baseline": None,
    "restricted": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "netadmin": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
    "sysadmin": {"privileged": True},
}
FIXED = ("name", "command", "image", "lifecycle", "volumeDevices")  # of a container, by the flags alone
ON_THE_HOST = ("general", "netadmin", "sysadmin")  # on a node, in its namespaces
SEES_FILES = ("general", "sysadmin")  # and has its root directory at /host


@dataclass(frozen=True)
class Wanted:
    """What the flags say of the container."""

    image: str = ""
    name: str = ""
    words: tuple[str, ...] = ()
    as_arguments: bool = False
    env: tuple[tuple[str, str], ...] = ()
    pull_policy: str = ""
    stdin: bool = False
    terminal: bool = False
    profile: str = "general"
    custom: Tree = field(default_factory=dict)  # a part of a container, laid over what the profile makes

    def rights(self) -> Tree | None:
        """Raises CommandError for a profile that is none."""
        if self.profile not in RIGHTS:
            raise CommandError(f"unknown profile: {self.profile}")
        return copy.deepcopy(RIGHTS[self.profile])


@dataclass(frozen=True)
class Copy:
    """What the flags say of a copy."""

    name: str
    images: Mapping[str, str] = field(default_factory=dict)  # by container; "*": all
    same_node: bool = False
    share_processes: bool = True
    keep: frozenset[str] = frozenset()  # of labels, annotations, init-containers, liveness, readiness, startup


def generated(prefix: str) -> str:
    return f"{prefix}-{''.join(random.choices(LETTERS, k=5))}"


def changed(container: Tree, wanted: Wanted) -> Tree:
    """A container with what the flags say."""
    made: Tree = {**container}
    if wanted.words:
        made |= {"args": list(wanted.words)} if wanted.as_arguments else {"command": list(wanted.words)}
        if not wanted.as_arguments:
            made.pop("args", None)
    if wanted.image:
        made["image"] = wanted.image
    if wanted.pull_policy:
        made["imagePullPolicy"] = wanted.pull_policy
    if wanted.env:
        made["env"] = [{"name": name, "value": value} for name, value in wanted.env]
    return made | {name: True for name, given in (("stdin", wanted.stdin), ("tty", wanted.terminal)) if given}


def ephemeral_container(wanted: Wanted, target: str) -> Tree:
    """For a running pod; with `target` it sees that container's processes."""
    made = changed({"name": wanted.name, "terminationMessagePolicy": "File"}, wanted)
    rights = wanted.rights()
    made = customized(made | ({"securityContext": rights} if rights else {}), wanted.custom)
    return made | ({"targetContainerName": target} if target else {})


def customized(container: Tree, custom: Tree) -> Tree:
    """With a part of a container laid over it, as a strategic merge patch does. Raises CommandError for what must stay."""
    if not custom:
        return container
    from kube.api.patch import strategic
    from kube.api.resources import resource_for_kind

    if any(custom.get(name) for name in FIXED):
        raise CommandError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")
    pod = resource_for_kind("v1", "Pod")
    assert pod is not None, "pods are built in"
    patch = {"spec": {"containers": [{**custom, "name": container["name"]}]}}
    made: Tree = strategic.apply({"spec": {"containers": [container]}}, patch, pod)["spec"]["containers"][0]
    return made


def node_pod(node: str, wanted: Wanted) -> Tree:
    """A pod on a node, in the host's namespaces as its profile says."""
    container = changed({"name": wanted.name or "debugger", "terminationMessagePolicy": "File"}, wanted)
    rights = None if wanted.profile == "general" else wanted.rights()
    if rights:
        container["securityContext"] = rights
    spec: Tree = {"nodeName": node, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}
    if wanted.profile in ON_THE_HOST:
        spec |= {"hostIPC": True, "hostNetwork": True, "hostPID": True}
    if wanted.profile in SEES_FILES:
        spec["volumes"] = [{"name": HOST, "hostPath": {"path": "/"}}]
        container["volumeMounts"] = [{"name": HOST, "mountPath": "/host"}]
    container = customized(container, wanted.custom)
    metadata = {"name": generated(f"node-debugger-{node}"), "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "containers": [container]}}


def pod_copy(pod: Tree, how: Copy, wanted: Wanted) -> Tree:
    """A pod like another, with a container more or changed; `wanted.name` tells which. Raises CommandError."""
    spec: Tree = copy.deepcopy(pod["spec"])
    spec.pop("ephemeralContainers", None)
    if not how.same_node:
        spec.pop("nodeName", None)
    for one in (*spec["containers"], *(spec.get("initContainers") or ())):
        one["image"] = how.images.get(one["name"], how.images.get("*", one["image"]))
    metadata: Tree = {"name": how.name, "namespace": pod["metadata"]["namespace"]}
    old = pod["metadata"]
    if not (wanted.image or wanted.words):  # only images are exchanged: it may serve as the first one did
        metadata |= {name: old[name] for name in ("labels", "annotations") if old.get(name)}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    metadata |= {name: old[name] for name in ("labels", "annotations") if old.get(name) and name in how.keep}
    if "init-containers" not in how.keep:
        spec.pop("initContainers", None)
    for one in spec["containers"]:
        for probe, name in PROBES.items():
            if name not in how.keep:
                one.pop(probe, None)
    spec["shareProcessNamespace"] = how.share_processes
    _put(spec["containers"], wanted)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _put(containers: list[Tree], wanted: Wanted) -> None:
    """The container of the name, changed in its place; one more where there is none."""
    at = next((index for index, one in enumerate(containers) if one["name"] == wanted.name), None)
    if at is None and not wanted.image:
        raise CommandError("you must specify an existing container or a new image when specifying args.")
    before: Tree = {"name": wanted.name, "terminationMessagePolicy": "File"} if at is None else containers[at]
    made, rights = changed(before, wanted), wanted.rights()
    if rights:
        made["securityContext"] = {**(made.get("securityContext") or {}), **rights}
    made = customized(made, wanted.custom)
    containers[len(containers) if at is None else at :] = [made] if at is None else [made, *containers[at + 1 :]]
