"""APIService: a group and version that another server serves (apiregistration.k8s.io/v1).

https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Resource
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import APIService
from kube.api.webhook_client import port_errors

SERVICE_PORT = 443
TRUTHS = ("True", "False", "Unknown")


def set_defaults(tree: Tree) -> None:
    service = tree.setdefault("spec", {}).get("service")
    if service:
        service.setdefault("port", SERVICE_PORT)


def prepare(new: Tree, old: Tree | None) -> None:
    """A group that this server serves itself is always available."""
    if old is None:
        new["status"] = {}


def validate(new: APIService, old: APIService | None) -> Iterator[FieldError]:
    spec = new.spec
    wanted = f"{spec.version or ''}.{spec.group or ''}"
    if new.metadata.name != wanted:
        yield invalid("metadata.name", new.metadata.name, f'must be `spec.version+"."+spec.group`: "{wanted}"')
    if spec.group:
        yield from validation.complain("spec.group", spec.group, names.subdomain)
    elif spec.version != "v1":
        yield required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    yield from validation.complain("spec.version", spec.version or "", names.label1035)
    for field, least, most in (("groupPriorityMinimum", 1, 20000), ("versionPriority", 1, 1000)):
        value = getattr(spec, field) or 0
        if not least <= value <= most:
            yield invalid(f"spec.{field}", value, f"must be positive and less than {most}")
    if spec.service is None:
        if spec.caBundle:
            yield invalid("spec.caBundle", f"{len(spec.caBundle)} bytes", "local APIServices may not have a caBundle")
        if spec.insecureSkipTLSVerify:
            yield invalid("spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify")
        return
    for field in ("namespace", "name"):
        if not getattr(spec.service, field):
            yield required(f"spec.service.{field}")
    if spec.service.port is not None:
        yield from port_errors(spec.service.port, "spec.service.port")
    if spec.insecureSkipTLSVerify and spec.caBundle:
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


def validate_status(new: APIService, old: APIService) -> Iterator[FieldError]:
    for index, one in enumerate(new.status.conditions or ()):
        if one.status not in TRUTHS:
            yield unsupported(f"status.conditions[{index}].status", one.status or "", TRUTHS)


def service(one: APIService) -> str:
    found = one.spec.service
    return "Local" if found is None else f"{found.namespace}/{found.name}"


def available(one: APIService) -> str:
    condition = next((one for one in one.status.conditions or () if one.type == "Available"), None)
    if condition is None:
        return "Unknown"
    return condition.status if condition.status == "True" else f"{condition.status} ({condition.reason})"


RESOURCE = Resource(
    view=APIService,
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    namespaced=False,
    categories=("api-extensions",),
    subresources=("status",),
    status_keeps=OWN_METADATA,
    has_generation=False,
    unconditional_update=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    validate_status=validate_status,
    validate_name=names.path_segment,
    columns=(plain("Service", service), plain("Available", available), AGE),
)
