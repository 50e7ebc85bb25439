"""Node: a machine that runs pods (v1).

https://kubernetes.io/docs/concepts/architecture/nodes/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.columns import AGE, NONE, UNKNOWN, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid, unsupported
from kube.api.types import Node

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def set_defaults(tree: Tree) -> None:
    """What a node has is what it offers, unless it says otherwise."""
    status = tree.get("status")
    if status and status.get("capacity"):
        status.setdefault("allocatable", dict(status["capacity"]))


def validate(new: Node, old: Node | None) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((new.spec.taints if new.spec else None) or ()):
        at = f"spec.taints[{index}]"
        for complaint in names.qualified(taint.key or ""):
            yield invalid(f"{at}.key", taint.key or "", complaint)
        for complaint in names.label_value(taint.value or ""):
            yield invalid(f"{at}.value", taint.value, complaint)
        if taint.effect not in EFFECTS:
            yield unsupported(f"{at}.effect", taint.effect or "", EFFECTS)
        if (taint.key, taint.effect) in seen:
            yield duplicate(at, taint)
        seen.add((taint.key, taint.effect))
    if old is None:
        return
    for field in ("podCIDR", "providerID"):
        before, after = getattr(old.spec, field, None), getattr(new.spec, field, None)
        if before and after != before:
            yield forbidden(f"spec.{field}", "node updates may not change " + field + ' except from "" to valid')


def status(node: Node) -> str:
    """`Ready`, `NotReady` or `Unknown`, and whether new pods are kept off."""
    ready = next((one for one in node.status.conditions or () if one.type == "Ready"), None)
    words = ["Unknown"] if ready is None else ["Ready" if ready.status == "True" else "NotReady"]
    if node.spec and node.spec.unschedulable:
        words.append("SchedulingDisabled")
    return ",".join(words)


def roles(node: Node) -> str:
    found = set()
    for label, value in (node.metadata.labels or {}).items():
        if label.startswith(ROLE_PREFIX) and label != ROLE_PREFIX:
            found.add(label.removeprefix(ROLE_PREFIX))
        elif label == ROLE_LABEL and value:
            found.add(value)
    return ",".join(sorted(found)) or NONE


def _address(node: Node, type: str) -> str:
    return next((one.address for one in node.status.addresses or () if one.type == type), NONE)


def _info(node: Node, field: str) -> str:
    return getattr(node.status.nodeInfo, field, None) or UNKNOWN


RESOURCE = Resource(
    view=Node,
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    namespaced=False,
    short_names=("no",),
    subresources=("proxy", "status"),
    has_generation=False,
    status_on_create=True,
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        plain("Status", status),
        plain("Roles", roles),
        AGE,
        plain("Version", lambda node: getattr(node.status.nodeInfo, "kubeletVersion", None) or ""),
        plain("Internal-IP", lambda node: _address(node, "InternalIP"), wide=True),
        plain("External-IP", lambda node: _address(node, "ExternalIP"), wide=True),
        plain("OS-Image", lambda node: _info(node, "osImage"), wide=True),
        plain("Kernel-Version", lambda node: _info(node, "kernelVersion"), wide=True),
        plain("Container-Runtime", lambda node: _info(node, "containerRuntimeVersion"), wide=True),
    ),
    field_selectors={"spec.unschedulable": lambda tree: "true" if (tree.get("spec") or {}).get("unschedulable") else "false"},
)
