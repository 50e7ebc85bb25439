"""Requests for devices: what is asked of a device claim, in a claim, a template or a class. Defaults and rules.

    each request      asks `exactly` one kind of device, or names alternatives in `firstAvailable`, the best first
    names             of requests are labels and tell them apart; `request/alternative` names an alternative
    allocationMode    All, or ExactCount (the default) of `count` devices (1 if nobody says)

https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/ · pkg/apis/resource/validation
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, validation
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.status import FieldError, duplicate, invalid, required, too_many, unsupported

MOST_REQUESTS, MOST_ALTERNATIVES, MOST_SELECTORS, MOST_CONSTRAINTS, MOST_CONFIGS, MOST_TOLERATIONS = 32, 8, 32, 32, 32, 16
LONGEST_EXPRESSION = 10 * 1024
ALL, EXACT_COUNT = "All", "ExactCount"
UNKNOWN_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
OPERATORS, EFFECTS = ("Equal", "Exists"), ("NoExecute", "NoSchedule", "None")


def set_defaults(devices: Tree) -> None:
    """Of a DeviceClaim."""
    for request in devices.get("requests") or ():
        for one in (request.get("exactly"), *(request.get("firstAvailable") or ())):
            if one is not None:
                fill(one, allocationMode=EXACT_COUNT)
                if one["allocationMode"] == EXACT_COUNT and not one.get("count"):
                    one["count"] = 1
                for toleration in one.get("tolerations") or ():
                    fill(toleration, operator="Equal")


def validate(devices: Any, path: str) -> Iterator[FieldError]:
    """Of a DeviceClaim that stands at `path`."""
    requests = devices.requests or ()
    if len(requests) > MOST_REQUESTS:
        yield too_many(f"{path}.requests", len(requests), MOST_REQUESTS)
    known: set[str] = set()
    for index, request in enumerate(requests):
        at = f"{path}.requests[{index}]"
        yield from _unique_label(f"{at}.name", request.name, known)
        yield from _request(request, at)
        known |= {f"{request.name}/{one.name}" for one in request.firstAvailable or ()}
    for index, constraint in enumerate(devices.constraints or ()):
        yield from _constraint(constraint, f"{path}.constraints[{index}]", known)
    yield from _limited(f"{path}.constraints", devices.constraints, MOST_CONSTRAINTS)
    yield from configurations(devices.config, f"{path}.config", known)


def configurations(configs: Any, path: str, known: set[str] | None = None) -> Iterator[FieldError]:
    """Settings for drivers; `known`: the requests that they may be for, where there are any."""
    yield from _limited(path, configs, MOST_CONFIGS)
    for index, config in enumerate(configs or ()):
        at = f"{path}[{index}]"
        if known is not None:
            yield from _references(config.requests, f"{at}.requests", known)
        if config.opaque is None:
            yield required(f"{at}.opaque")
            continue
        yield from validation.named(f"{at}.opaque.driver", (config.opaque.driver or "").lower(), names.subdomain)
        if config.opaque.parameters is None:
            yield required(f"{at}.opaque.parameters")


def selectors(found: Any, path: str) -> Iterator[FieldError]:
    """Expressions about a device."""
    yield from _limited(path, found, MOST_SELECTORS)
    for index, selector in enumerate(found or ()):
        at = f"{path}[{index}].cel"
        if selector.cel is None:
            yield required(at)
        elif not selector.cel.expression:
            yield required(f"{at}.expression")
        elif len(selector.cel.expression) > LONGEST_EXPRESSION:
            yield invalid(f"{at}.expression", selector.cel.expression, f"must be no longer than {LONGEST_EXPRESSION} bytes")


def _request(request: Any, path: str) -> Iterator[FieldError]:
    alternatives = request.firstAvailable or ()
    if bool(alternatives) == (request.exactly is not None):
        one_of = "exactly one of `exactly` or `firstAvailable` is required"
        if request.exactly is None:
            yield required(path, one_of)
        else:
            yield invalid(path, None, f"{one_of}, but multiple fields are set")
    if request.exactly is not None:
        yield from _devices(request.exactly, f"{path}.exactly")
    yield from _limited(f"{path}.firstAvailable", alternatives, MOST_ALTERNATIVES)
    known: set[str] = set()
    for index, one in enumerate(alternatives):
        at = f"{path}.firstAvailable[{index}]"
        yield from _unique_label(f"{at}.name", one.name, known)
        yield from _devices(one, at)


def _devices(asked: Any, path: str) -> Iterator[FieldError]:
    if not asked.deviceClassName:
        yield required(f"{path}.deviceClassName")
    else:
        yield from validation.named(f"{path}.deviceClassName", asked.deviceClassName, names.subdomain)
    yield from selectors(asked.selectors, f"{path}.selectors")
    if asked.allocationMode not in (ALL, EXACT_COUNT):
        yield unsupported(f"{path}.allocationMode", asked.allocationMode, (ALL, EXACT_COUNT))
    elif asked.allocationMode == ALL and asked.count:
        yield invalid(f"{path}.count", asked.count, f"must not be specified when allocationMode is '{ALL}'")
    elif asked.allocationMode == EXACT_COUNT and (asked.count or 0) <= 0:
        yield invalid(f"{path}.count", asked.count or 0, "must be greater than zero")
    yield from _limited(f"{path}.tolerations", asked.tolerations, MOST_TOLERATIONS)
    for index, toleration in enumerate(asked.tolerations or ()):
        yield from _toleration(toleration, f"{path}.tolerations[{index}]")


def _toleration(toleration: Any, path: str) -> Iterator[FieldError]:
    if toleration.key:
        yield from validation.named(f"{path}.key", toleration.key, names.qualified)
    if toleration.operator not in OPERATORS:
        yield unsupported(f"{path}.operator", toleration.operator, OPERATORS)
    elif toleration.operator == "Exists" and toleration.value:
        yield invalid(f"{path}.value", toleration.value, "must be empty for operator `Exists`")
    elif toleration.operator == "Equal" and not toleration.key:
        yield required(f"{path}.key", "must not be empty for operator `Equal`")
    if toleration.effect:
        yield from validation.one_of(f"{path}.effect", toleration.effect, EFFECTS)


def _constraint(constraint: Any, path: str, known: set[str]) -> Iterator[FieldError]:
    yield from _references(constraint.requests, f"{path}.requests", known)
    attribute = constraint.matchAttribute or constraint.distinctAttribute
    if not attribute:
        yield required(f"{path}.matchAttribute", "exactly one of matchAttribute or distinctAttribute must be specified")
        return
    field = "matchAttribute" if constraint.matchAttribute else "distinctAttribute"
    yield from qualified_name(attribute, f"{path}.{field}", domain=True)


def qualified_name(text: str, path: str, *, domain: bool = False) -> Iterator[FieldError]:
    """`driver.example.com/size`: a C identifier, after the domain that defines it (which may be left out unless `domain`)."""
    before, slash, after = text.rpartition("/")
    if domain and not slash:
        yield invalid(path, text, "must include a domain")
    if slash:
        yield from validation.named(path, before.lower(), names.subdomain)
    if not after.isidentifier() or not after.isascii():
        yield invalid(path, after, "must be a C identifier")


def _references(found: Iterable[str] | None, path: str, known: set[str]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, name in enumerate(found or ()):
        if name not in known:
            yield invalid(f"{path}[{index}]", name, UNKNOWN_REQUEST)
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)


def _unique_label(path: str, name: str | None, known: set[str]) -> Iterator[FieldError]:
    if not name:
        yield required(path)
        return
    yield from validation.named(path, name, names.label)
    if name in known:
        yield duplicate(path.removesuffix(".name"), name)
    known.add(name)


def _limited(path: str, found: Any, limit: int) -> Iterator[FieldError]:
    if found and len(found) > limit:
        yield too_many(path, len(found), limit)
