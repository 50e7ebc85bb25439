"""Pod: containers that run together on one node (v1).

https://kubernetes.io/docs/concepts/workloads/pods/
"""

from collections.abc import Callable, Iterator

from kube.api.core.label_keys import merge_label_keys
from kube.api.core.pod_columns import COLUMNS
from kube.api.core.pod_spec import set_pod_defaults
from kube.api.core.pod_status import status_errors
from kube.api.core.pod_validation import pod_errors
from kube.api.core.pod_validation.update import update_errors
from kube.api.core.pod_warnings import name_warnings, pod_warnings
from kube.api.meta import Tree
from kube.api.pod_qos import qos_class
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden
from kube.api.types import Pod
from kube.api.views import lenient_view

COMPLETED = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    set_pod_defaults(spec)


def prepare(new: Tree, old: Tree | None) -> None:
    """A new pod is pending; its quality of service follows from its spec; what it selects by its own labels is written down."""
    if old is None:
        merge_label_keys(new)
        new["status"] = {"phase": "Pending", "qosClass": qos_class(lenient_view(Pod, new))}
        gates = new["spec"].get("schedulingGates")
        if gates:
            new["status"]["conditions"] = [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                }
            ]


def prepare_status(new: Tree, old: Tree) -> None:
    """A writer who does not know of its quality of service, or of one of the two fields for addresses, leaves them as they are."""
    status, before = new.setdefault("status", {}), old.get("status") or {}
    if not status.get("qosClass") and before.get("qosClass"):
        status["qosClass"] = before["qosClass"]
    address, listed = status.get("podIP"), status.get("podIPs")
    if address and (not listed or listed[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]  # who knows one field alone is an older kubelet, and is believed
    elif listed and listed[0].get("ip"):
        status["podIP"] = listed[0]["ip"]


def validate(new: Pod, old: Pod | None) -> Iterator[FieldError]:
    yield from pod_errors(new.spec, new.metadata.annotations, new.metadata.name or "")
    if old is not None:
        yield from update_errors(new, old)
        return
    if new.spec.ephemeralContainers:
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if new.spec.nodeName and new.spec.schedulingGates:
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def warnings(new: Pod, old: Pod | None) -> Iterator[str]:
    """When it is made: whoever changes pods is a component, not a human."""
    if old is None:
        yield from name_warnings(new.metadata.name or "", "the Pod's hostname")
        yield from pod_warnings(new.spec, new.metadata)


def grace_seconds(tree: Tree, asked: int | None) -> int:
    """What was asked, or the spec's; none for a pod that runs nowhere or has ended."""
    spec, phase = tree["spec"], (tree.get("status") or {}).get("phase")
    seconds = asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30)
    if seconds < 0:
        seconds = 1
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    return int(seconds)


def row_conditions(tree: Tree) -> list[Tree]:
    """A pod that has ended is completed, so that a client may leave its row out."""
    phase = (tree.get("status") or {}).get("phase")
    if phase not in COMPLETED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": COMPLETED[phase]}]


def _spec(field: str, default: str = "") -> Callable[[Tree], str]:
    return lambda tree: _text((tree.get("spec") or {}).get(field, default))


def _status(field: str) -> Callable[[Tree], str]:
    return lambda tree: _text((tree.get("status") or {}).get(field, ""))


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


RESOURCE = Resource(
    view=Pod,
    group="", version="v1", kind="Pod", plural="pods", short_names=("po",), categories=("all",),
    subresources=(
        "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status",
    ),
    set_defaults=set_defaults, prepare=prepare, prepare_status=prepare_status,
    status_keeps=("ownerReferences",),
    validate=validate, warnings=warnings, validate_status=status_errors,
    grace_seconds=grace_seconds,
    columns=COLUMNS, row_conditions=row_conditions,
    field_selectors={
        "spec.nodeName": _spec("nodeName"),
        "spec.restartPolicy": _spec("restartPolicy"),
        "spec.schedulerName": _spec("schedulerName"),
        "spec.serviceAccountName": _spec("serviceAccountName"),
        "spec.hostNetwork": _spec("hostNetwork", "false"),
        "status.phase": _status("phase"),
        "status.podIP": _status("podIP"),
        "status.podIPs": _status("podIP"),
        "status.nominatedNodeName": _status("nominatedNodeName"),
    },
)  # fmt: skip
