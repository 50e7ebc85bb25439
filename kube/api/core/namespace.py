"""Namespace: a room for names; it goes when everything in it is gone (v1).

The finalizer `kubernetes` in its spec holds a deleted namespace until its content has been removed; /finalize takes it away.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.metadata import finalizer_errors
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid
from kube.api.types import Namespace

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


def set_defaults(tree: Tree) -> None:
    """Every namespace can be selected by its name."""
    metadata = tree.setdefault("metadata", {})
    if metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), NAME_LABEL: metadata["name"]}
    set_status_defaults(tree)


def set_status_defaults(tree: Tree) -> None:
    status = tree.setdefault("status", {})
    status["phase"] = status.get("phase") or "Active"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"phase": "Active"}
        finalizers = new.setdefault("spec", {}).setdefault("finalizers", [])
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)
        set_defaults(new)  # a generated name is known by now
    else:
        new["spec"] = old.get("spec") or {}  # only /finalize changes the finalizers


def validate(new: Namespace, old: Namespace | None) -> Iterator[FieldError]:
    for finalizer in ((new.spec.finalizers if new.spec else None) or ()) if old is None else ():
        yield from finalizer_errors(finalizer, "spec.finalizers")


def validate_status(new: Namespace, old: Namespace) -> Iterator[FieldError]:
    phase = new.status.phase or ""
    if new.metadata.deletionTimestamp is None:
        if phase != "Active":
            yield invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")
    elif phase != "Terminating":
        yield invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")


def held(tree: Tree) -> bool:
    return bool((tree.get("spec") or {}).get("finalizers"))


def mark_deleted(tree: Tree) -> None:
    tree.setdefault("status", {})["phase"] = "Terminating"
    tree["metadata"].pop("deletionGracePeriodSeconds", None)  # it has none


RESOURCE = Resource(
    view=Namespace,
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=("finalize", "status"),
    has_generation=False,
    set_defaults=set_defaults,
    set_status_defaults=set_status_defaults,
    prepare=prepare,
    validate=validate,
    validate_status=validate_status,
    validate_name=names.label,
    columns=(plain("Status", lambda namespace: namespace.status.phase), AGE),
    field_selectors={"status.phase": lambda tree: (tree.get("status") or {}).get("phase") or ""},
    held=held,
    mark_deleted=mark_deleted,
)
