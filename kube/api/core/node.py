"""Node: a machine that runs pods (v1).

https://kubernetes.io/docs/concepts/architecture/nodes/
"""

from collections.abc import Iterator

from kube.api.columns import AGE, NONE, UNKNOWN, plain
from kube.api.core.pod_validation.scheduling import taint_errors
from kube.api.core.resource_names import amount_errors
from kube.api.meta import Tree
from kube.api.network_address import cidr_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid
from kube.api.types import Node
from kube.api.validation import complain

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"


def set_defaults(tree: Tree) -> None:
    spec = tree.get("spec") or {}
    if spec.get("podCIDR"):  # the first of the list, in a field of its own
        if (spec.get("podCIDRs") or [None])[0] != spec["podCIDR"]:
            spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    set_status_defaults(tree)


def set_status_defaults(tree: Tree) -> None:
    """What a node has is what it offers, unless it says otherwise."""
    status = tree.get("status")
    if status and status.get("capacity"):
        status.setdefault("allocatable", dict(status["capacity"]))


def validate(new: Node, old: Node | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from _amounts(new)
    if old is not None:
        yield from _changed(new, old)
    yield from taint_errors((spec.taints if spec else None) or (), "metadata.taints")  # upstream's path
    blocks = list((spec.podCIDRs if spec else None) or ())
    for index, block in enumerate(blocks):
        yield from complain(f"spec.podCIDRs[{index}]", block, cidr_complaints)
    if len(blocks) > 2 or (len(blocks) == 2 and len({":" in block for block in blocks}) == 1):
        yield invalid("spec.podCIDRs", blocks, "may specify no more than one CIDR for each IP family")
    for index, block in enumerate(blocks):
        if block in blocks[:index]:
            yield duplicate(f"spec.podCIDRs[{index}]", block)


def _amounts(node: Node) -> Iterator[FieldError]:
    for side in ("capacity", "allocatable"):
        for name, amount in (getattr(node.status, side) or {}).items():
            yield from amount_errors(name, amount, f"status.{side}.{name}")


def _changed(new: Node, old: Node) -> Iterator[FieldError]:
    """What a node was given once it keeps."""
    seen = set()
    for index, address in enumerate(new.status.addresses or ()):
        if (address.type, address.address) in seen:
            yield duplicate(f"status.addresses[{index}]", {"Type": address.type, "Address": address.address})
        seen.add((address.type, address.address))
    before, after = (list((one.spec.podCIDRs if one.spec else None) or ()) for one in (old, new))
    if before and after != before:
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    provider = old.spec.providerID if old.spec else None
    if provider and (new.spec.providerID if new.spec else None) != provider:
        yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')


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
    set_status_defaults=set_status_defaults,
    validate=validate,
    validate_status=validate,
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
