"""Which pod, and which of its containers, a command such as logs or exec means.

kubernetes/kubectl pkg/polymorphichelpers attachablepodforobject.go, pkg/cmd/util/podcmd
"""

import time
from collections.abc import Callable
from dataclasses import replace

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kubectl.errors import CommandError
from kubectl.selection import Item, Query, listed
from kubectl.session import Session
from kubectl.watching import watch

POD = Resource("", "v1", "Pod", "pods")
LOOK_SECONDS = 0.5  # between two looks for a pod that is to come
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def pod_of(session: Session, word: str, *, seconds: float = 0.0) -> Tree:
    """The pod that `NAME` or `TYPE/NAME` means: itself, or one of those that a workload or Service selects."""
    if "/" not in word:
        return session.server.request("GET", POD.path(session.namespace, word)).tree()
    (item,) = session.items(Query([word]))
    return pods_of(session, item, seconds=seconds)[0]


def pods_of(session: Session, item: Item, doing: str = "attach to", *, seconds: float = 0.0) -> list[Tree]:
    """The pods behind an object, the most useful first. Raises CommandError where there is none after so many seconds."""
    if item.tree["kind"] == "Pod":
        return [item.tree]
    selector = _selector(item, doing)
    inside = replace(session, flags={**session.flags, "namespace": item.key.namespace})
    inside.__dict__["server"] = session.server
    deadline = time.monotonic() + seconds
    while not (found := list(listed(inside, POD, Query(selector=selector)))):
        if time.monotonic() >= deadline:
            raise CommandError("timed out waiting for the condition")
        time.sleep(min(LOOK_SECONDS, seconds))
    return sorted(found, key=_usefulness)


def _selector(item: Item, doing: str) -> str:
    selector = (item.tree.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels") if "matchLabels" in selector or "matchExpressions" in selector else selector
    if not labels:
        kind = f"*{item.resource.version}.{item.resource.kind}"
        raise CommandError(f"cannot {doing} {kind}: selector for {kind} not implemented")
    return ",".join(f"{name}={value}" for name, value in labels.items())


def _usefulness(pod: Tree) -> tuple[bool, bool, bool, str]:
    status = pod.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    return (
        "deletionTimestamp" in pod["metadata"],
        status.get("phase") != "Running",
        not ready,
        pod["metadata"].get("creationTimestamp") or "",
    )


def container_of(session: Session, pod: Tree, name: str, *, quiet: bool = False) -> str:
    """The container's name: the one asked for, the annotated default, or the first. Raises CommandError for an unknown one."""
    spec = pod["spec"]
    fields = ("containers", "initContainers", "ephemeralContainers")
    names = [one["name"] for field in fields for one in spec.get(field) or ()]
    if name:
        if name not in names:
            raise CommandError(f"container {name} is not valid for pod {pod['metadata']['name']} out of: {_listed(spec)}")
        return name
    default = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if default in names:
        return str(default)
    first: str = spec["containers"][0]["name"]
    if len(names) > 1 and not quiet:
        session.tell(f'Defaulted container "{first}" out of: {_listed(spec)}')
    return first


def _listed(spec: Tree) -> str:
    """Every container of a pod, with a mark for those that are not the ordinary kind."""
    fields = (("containers", ""), ("initContainers", " (init)"), ("ephemeralContainers", " (ephem)"))
    return ", ".join(f"{one['name']}{mark}" for field, mark in fields for one in spec.get(field) or ())


def wait_for(session: Session, key: Key, reached: Callable[[Tree], bool], seconds: float) -> Tree:
    """The pod, once it is as wanted. Raises CommandError at the deadline or when it is gone."""
    deadline = time.monotonic() + seconds
    selector = f"metadata.name={key.name}"
    while True:
        pod = session.server.request("GET", POD.path(key.namespace, key.name)).tree()
        if reached(pod):
            return pod
        left = int(deadline - time.monotonic())
        if left <= 0:
            raise CommandError("timed out waiting for the condition")
        params: dict[str, str | int | None] = {
            "fieldSelector": selector,
            "resourceVersion": pod["metadata"]["resourceVersion"],
            "timeoutSeconds": max(1, left),
        }
        for event in watch(session.server, POD.path(key.namespace), params):
            if event.type == "DELETED":
                raise CommandError(f'pods "{key.name}" was deleted')
            if reached(event.object):
                return event.object


def running_or_done(pod: Tree) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Running", "Succeeded", "Failed")


def done(pod: Tree) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
