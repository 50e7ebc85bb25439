"""ResourceClaim and ResourceClaimTemplate: devices that a workload asks for (resource.k8s.io/v1).

A claim's spec never changes; its status says which devices it got, and for whom they are reserved.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.dynamic_resources import requests
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, too_many
from kube.api.types import DynamicResourceClaim, ResourceClaimTemplate

MOST_CONSUMERS, MOST_RESULTS = 256, 32
NO_MORE = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
SOURCES = ("FromClass", "FromClaim")


def set_defaults(tree: Tree) -> None:
    requests.set_defaults((tree.get("spec") or {}).get("devices") or {})


def set_template_defaults(tree: Tree) -> None:
    set_defaults(tree.get("spec") or {})


def validate(new: DynamicResourceClaim, old: DynamicResourceClaim | None) -> Iterator[FieldError]:
    if new.spec is not None and new.spec.devices is not None:
        yield from requests.validate(new.spec.devices, "spec.devices")
    if old is not None:
        yield from validation.unchanged("spec", new.spec, old.spec)


def validate_template(new: ResourceClaimTemplate, old: ResourceClaimTemplate | None) -> Iterator[FieldError]:
    if new.spec is not None and new.spec.spec is not None and new.spec.spec.devices is not None:
        yield from requests.validate(new.spec.spec.devices, "spec.spec.devices")
    if old is not None:
        yield from validation.unchanged("spec", new.spec, old.spec)


def validate_status(new: DynamicResourceClaim, old: DynamicResourceClaim) -> Iterator[FieldError]:
    status: Any = new.status
    allocation, consumers = status.allocation, status.reservedFor or ()
    if len(consumers) > MOST_CONSUMERS:
        yield too_many("status.reservedFor", len(consumers), MOST_CONSUMERS)
    if consumers and allocation is None:
        yield forbidden("status.reservedFor", "may not be specified when `allocated` is not set")
    seen: set[str] = set()
    for index, consumer in enumerate(consumers):
        at = f"status.reservedFor[{index}]"
        for field in ("resource", "name", "uid"):
            if not getattr(consumer, field):
                yield required(f"{at}.{field}")
        if consumer.uid in seen:
            yield duplicate(f"{at}.uid", consumer.uid)
        seen.add(consumer.uid)
    was: Any = old.status
    if new.metadata.deletionTimestamp is not None and len(consumers) > len(was.reservedFor or ()):
        yield forbidden("status.reservedFor", NO_MORE)
    before = was.allocation
    if before is not None and allocation is not None:
        yield from validation.unchanged("status.allocation", allocation, before)
    elif allocation is not None:
        yield from _allocation(allocation, new.spec)


def _allocation(allocation: Any, spec: Any) -> Iterator[FieldError]:
    devices = allocation.devices
    known = {one.name for one in (spec.devices.requests if spec.devices else None) or ()}
    results = (devices.results if devices else None) or ()
    if len(results) > MOST_RESULTS:
        yield too_many("status.allocation.devices.results", len(results), MOST_RESULTS)
    for index, result in enumerate(results):
        at = f"status.allocation.devices.results[{index}]"
        if (result.request or "").partition("/")[0] not in known:
            yield invalid(f"{at}.request", result.request, requests.UNKNOWN_REQUEST)
        yield from validation.named(f"{at}.driver", (result.driver or "").lower(), names.subdomain)
        if not result.pool:
            yield required(f"{at}.pool")
        yield from validation.named(f"{at}.device", result.device, names.label)
    for index, config in enumerate((devices.config if devices else None) or ()):
        yield from validation.one_of(f"status.allocation.devices.config[{index}].source", config.source, SOURCES)


def state(claim: DynamicResourceClaim) -> str:
    """`allocated,reserved`, `pending`, ..."""
    status: Any = claim.status
    words = ["deleted"] if claim.metadata.deletionTimestamp is not None else []
    if status.allocation is not None:
        words += ["allocated", "reserved"] if status.reservedFor else ["allocated"]
    return ",".join(words) or "pending"


RESOURCE = Resource(
    view=DynamicResourceClaim,
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaim",
    plural="resourceclaims",
    subresources=("status",),
    has_generation=False,
    set_defaults=set_defaults,
    validate=validate,
    validate_status=validate_status,
    columns=(plain("State", state), AGE),
)
TEMPLATE = Resource(
    view=ResourceClaimTemplate,
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    has_generation=False,
    set_defaults=set_template_defaults,
    validate=validate_template,
    columns=(AGE,),
)
