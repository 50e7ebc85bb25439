"""CustomResourceDefinition: a kind of the users' own (apiextensions.k8s.io/v1).

https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required
from kube.api.types import CustomResourceDefinition

SCOPES = ("Cluster", "Namespaced")
STRATEGIES = ("None", "Webhook")
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"  # holds a deleted definition until its objects are gone


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    called = spec.setdefault("names", {})
    kind = called.get("kind") or ""
    if not called.get("singular"):
        called["singular"] = kind.lower()
    if not called.get("listKind") and kind:
        called["listKind"] = f"{kind}List"
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service:
        service.setdefault("port", 443)


def prepare(new: Tree, old: Tree | None) -> None:
    """The version that objects are stored in is remembered for as long as any may be stored so."""
    if old is None:
        new["status"] = {"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": []}
    stored = [one["name"] for one in new["spec"].get("versions") or () if one.get("storage")]
    known = new.setdefault("status", {}).setdefault("storedVersions", [])
    known += [name for name in stored if name not in known]


def validate(new: CustomResourceDefinition, old: CustomResourceDefinition | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.named("spec.group", spec.group, names.subdomain)
    if spec.group and "." not in spec.group:
        yield invalid("spec.group", spec.group, "should be a domain with at least one dot")
    yield from validation.one_of("spec.scope", spec.scope, SCOPES)
    yield from validation.named("spec.names.plural", spec.names.plural, names.label1035)
    yield from validation.named("spec.names.kind", (spec.names.kind or "").lower(), names.label1035)
    wanted = f"{spec.names.plural}.{spec.group}"
    if new.metadata.name != wanted:
        yield invalid("metadata.name", new.metadata.name or "", 'must be spec.names.plural+"."+spec.group')
    yield from _versions(new)
    if spec.conversion is not None:
        yield from validation.one_of("spec.conversion.strategy", spec.conversion.strategy, STRATEGIES)
    if old is not None and any(one.type == "Established" and one.status == "True" for one in old.status.conditions or ()):
        for field in ("group", "scope"):
            yield from validation.unchanged(f"spec.{field}", getattr(spec, field), getattr(old.spec, field))
        yield from validation.unchanged("spec.names.plural", spec.names.plural, old.spec.names.plural)
        yield from validation.unchanged("spec.names.kind", spec.names.kind, old.spec.names.kind)


def _versions(new: CustomResourceDefinition) -> Iterator[FieldError]:
    versions = new.spec.versions or []
    if sum(bool(one.storage) for one in versions) != 1:
        yield invalid("spec.versions", [one.name for one in versions], "must have exactly one version marked as storage version")
    seen: set[str] = set()
    for index, one in enumerate(versions):
        at = f"spec.versions[{index}]"
        for complaint in names.label1035(one.name or ""):
            yield invalid(f"{at}.name", one.name or "", complaint)
        if one.name in seen:
            yield duplicate(f"{at}.name", one.name)
        seen.add(one.name)
        schema = one.schema.openAPIV3Schema if one.schema is not None else None
        if schema is None:
            yield required(f"{at}.schema.openAPIV3Schema", "schemas are required")
        elif schema.type != "object":
            yield invalid(f"{at}.schema.openAPIV3Schema.type", schema.type or "", "must be object at the root")


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
    unconditional_update=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
)
