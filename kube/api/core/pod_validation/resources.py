"""Rules of what containers and pods ask for: names, amounts, claims, and how they may be resized.

kubernetes pkg/apis/core/validation/validation.go (validateResourceRequirements) · KEP-2837 (resources of whole pods)
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kube.api import names, pod_resources, quantity
from kube.api.core import resource_names
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.validation import complain

RESIZABLE = ("cpu", "memory")
RESTARTS = ("NotRequired", "RestartContainer")
OF_PODS = ("cpu", "hugepages-", "memory")

NameRule = Callable[[str, str], Iterator[FieldError]]


def resource_errors(
    resources: Any, path: str, claims: Iterable[str] = (), name_rule: NameRule = resource_names.container_name_errors
) -> Iterator[FieldError]:
    """Of a container's `resources`. `claims`: the names of the pod's resource claims."""
    if resources is None:
        return
    limits, requests = resources.limits or {}, resources.requests or {}
    for name, amount in limits.items():
        yield from _amount(name, amount, f"{path}.limits[{name}]", name_rule)
    for name, amount in requests.items():
        yield from _amount(name, amount, f"{path}.requests[{name}]", name_rule)
        yield from _within_limit(name, amount, limits.get(name), path)
    asked = {*limits, *requests}
    if any(resource_names.is_huge_page(name) for name in asked) and not asked & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _claims(getattr(resources, "claims", None) or (), sorted(set(claims)), f"{path}.claims")


def _amount(name: str, amount: str, path: str, name_rule: NameRule) -> Iterator[FieldError]:
    yield from name_rule(name, path)
    yield from resource_names.amount_errors(name, amount, path)
    yield from resource_names.huge_page_errors(name, amount, path)


def _within_limit(name: str, amount: str, limit: str | None, path: str) -> Iterator[FieldError]:
    may_differ = resource_names.may_overcommit(name)
    if limit is None:
        if not may_differ:
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    asked, most = quantity.parse(amount), quantity.parse(limit)
    if asked != most and not may_differ:
        text = f"must be equal to {name} limit of {quantity.canonical(limit)}"
        yield invalid(f"{path}.requests", quantity.canonical(amount), text)
    elif asked > most:
        text = f"must be less than or equal to {name} limit of {quantity.canonical(limit)}"
        yield invalid(f"{path}.requests", quantity.canonical(amount), text)


def _claims(wanted: Iterable[Any], known: list[str], path: str) -> Iterator[FieldError]:
    """A container names claims of its pod: each one once, as a whole or by its requests."""
    seen: set[str] = set()
    for index, claim in enumerate(wanted):
        at, name, request = f"{path}[{index}]", claim.name or "", claim.request or ""
        if not name:
            yield required(at)
            continue
        key = f"{name}/{request}" if request else name
        if name in seen:
            yield duplicate(at, name)
        else:
            if request:
                yield from complain(f"{at}.request", request, names.label)
            if key in seen:
                yield duplicate(at, key)
            elif not request and any(one.startswith(f"{name}/") for one in seen):
                yield duplicate(at, name)
            seen.add(key)
        if name not in known:
            listed = ": " + ", ".join(known) if known else " which is empty"
            text = f'Not found: "{name}": must be one of the names in pod.spec.resourceClaims{listed}'
            yield FieldError(at, "FieldValueNotFound", text)


def resize_policy_errors(policies: Iterable[Any], path: str, pod_restarts: str | None) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.resourceName or "", policy.restartPolicy or ""
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        for value, supported in ((name, RESIZABLE), (restart, RESTARTS)):
            if not value:
                yield required(path)
            elif value not in supported:
                yield unsupported(path, value, supported)
        if pod_restarts == "Never" and restart != "NotRequired":
            yield invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")


def pod_resource_errors(spec: Any, path: str) -> Iterator[FieldError]:
    """Of a whole pod's `resources`: at least what its containers ask for together."""
    resources = spec.resources
    if resources is None:
        return
    if resources.claims is not None:
        yield forbidden(f"{path}.claims", "claims cannot be set for Resources at pod-level")
    yield from resource_errors(resources, path, (), _pod_name_errors)
    requests, limits = resources.requests or {}, resources.limits or {}
    for name, together in pod_resources.aggregated(spec, "requests").items():
        if pod_resources.amount(name, requests.get(name, "0")) < together:
            text = f"must be greater than or equal to aggregate container requests of {pod_resources.text(name, together)}"
            yield invalid(f"{path}.requests[{name}]", quantity.canonical(requests.get(name, "0")), text)
    for index, container in enumerate(spec.containers or ()):
        for name, limit in ((container.resources.limits if container.resources else None) or {}).items():
            if name in limits and quantity.parse(limit) > quantity.parse(limits[name]):
                text = f"must be less than or equal to pod limits of {quantity.canonical(limits[name])}"
                yield invalid(f"{path}.containers[{index}][{name}].limits", quantity.canonical(limit), text)


def _pod_name_errors(name: str, path: str) -> Iterator[FieldError]:
    found = list(resource_names.name_errors(name, path))
    yield from found
    if not found and name not in RESIZABLE and not resource_names.is_huge_page(name):
        yield unsupported(path, name, OF_PODS)


def pod_claim_errors(claims: Iterable[Any], path: str) -> Iterator[FieldError]:
    """Of spec.resourceClaims: by the name of a claim or of a template of one."""
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        at = f"{path}[{index}]"
        if not claim.name:
            yield required(f"{at}.name")
        elif claim.name in seen:
            yield duplicate(f"{at}.name", claim.name)
        else:
            yield from complain(f"{at}.name", claim.name, names.label)
            seen.add(claim.name)
        given = (claim.resourceClaimName, claim.resourceClaimTemplateName)
        shown = {"Name": claim.name, "ResourceClaimName": given[0], "ResourceClaimTemplateName": given[1]}
        if None not in given:
            text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield invalid(at, shown, text)
        if given == (None, None):
            yield invalid(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for field in ("resourceClaimName", "resourceClaimTemplateName"):
            name = getattr(claim, field)
            if name is not None:
                yield from complain(f"{at}.{field}", name, names.subdomain)
