"""CustomResourceDefinition: a kind of the users' own (apiextensions.k8s.io/v1).

What becomes of one is the API server's affair (apiserver/crd); how its schemas are read and applied stands beside this file.
https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/ · docs/concepts/custom-resources.md
"""

from kube.api.apiextensions import definition_rules
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Resource
from kube.api.types import CustomResourceDefinition

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"  # holds a deleted definition until its objects are gone


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    called = spec.setdefault("names", {})
    kind = called.get("kind") or ""
    if not called.get("singular"):
        called["singular"] = kind.lower()
    if not called.get("listKind") and kind:
        called["listKind"] = f"{kind}List"
    conversion = spec.setdefault("conversion", {"strategy": "None"})
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service:
        service.setdefault("port", 443)
    for version in spec.get("versions") or ():
        version.setdefault("served", False)
        version.setdefault("storage", False)


def prepare(new: Tree, old: Tree | None) -> None:
    """The version that objects are stored in is remembered for as long as any may be stored so."""
    if old is None:
        new["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": []}
    stored = [one["name"] for one in new["spec"].get("versions") or () if one.get("storage") and one.get("name")]
    known = new.setdefault("status", {}).setdefault("storedVersions", [])
    known += [name for name in stored if name not in known]


def held(tree: Tree) -> bool:
    """A definition that is deleted waits for its objects; once it is marked, a finalizer says so."""
    return not tree["metadata"].get("deletionTimestamp")


def mark_deleted(tree: Tree) -> None:
    metadata = tree["metadata"]
    metadata.pop("deletionGracePeriodSeconds", None)  # it has none
    if CLEANUP not in metadata.get("finalizers", ()):
        metadata["finalizers"] = [*metadata.get("finalizers", ()), CLEANUP]


RESOURCE = Resource(
    view=CustomResourceDefinition,
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=("status",),
    status_keeps=OWN_METADATA,
    unconditional_update=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=definition_rules.errors,
    validate_status=definition_rules.status_errors,
    validates_trees=True,
    held=held,
    mark_deleted=mark_deleted,
)
