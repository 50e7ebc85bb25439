"""LimitRange: bounds and defaults of what one pod, container or claim of a namespace may ask for (v1).

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from collections.abc import Iterator

from kube.api import names, quantity
from kube.api.core.resource_names import container_name_errors, may_overcommit, name_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid, required
from kube.api.types import LimitRange, LimitRangeItem

CONTAINER = "Container"
TYPES = ("Pod", CONTAINER, "PersistentVolumeClaim")


def set_defaults(tree: Tree) -> None:
    """A container's default limit is the most it may have; its default request is the default limit, else the least."""
    for item in (tree.get("spec") or {}).get("limits") or ():
        if item.get("type") != CONTAINER:
            continue
        limits = item.setdefault("default", {})
        for name, amount in (item.get("max") or {}).items():
            limits.setdefault(name, amount)
        requests = item.setdefault("defaultRequest", {})
        for name, amount in [*limits.items(), *(item.get("min") or {}).items()]:
            requests.setdefault(name, amount)
        for field in ("default", "defaultRequest"):
            if not item[field]:
                del item[field]


def validate(new: LimitRange, old: LimitRange | None) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate((new.spec.limits if new.spec else None) or ()):
        at = f"spec.limits[{index}]"
        complaints = names.qualified(item.type or "")
        for complaint in complaints:
            yield invalid(f"{at}.type", item.type or "", complaint)
        if not complaints and "/" not in item.type and item.type not in TYPES:
            yield invalid(f"{at}.type", item.type, "must be a standard limit type or fully qualified")
        if item.type in seen:
            yield duplicate(f"{at}.type", item.type)
        seen.add(item.type)
        yield from _item(item, at)


def _item(item: LimitRangeItem, at: str) -> Iterator[FieldError]:
    rule = container_name_errors if item.type in ("Pod", CONTAINER) else name_errors
    fields = ["max", "min"]
    if item.type == "Pod":
        for field in ("default", "defaultRequest"):
            if getattr(item, field):
                yield forbidden(f"{at}.{field}", "may not be specified when `type` is 'Pod'")
    else:
        fields += ["default", "defaultRequest"]
    if item.type == "PersistentVolumeClaim" and "storage" not in {*(item.min or {}), *(item.max or {})}:
        yield required(f"{at}.limits", "either minimum or maximum storage value is required, but neither was provided")
    fields.append("maxLimitRequestRatio")
    known: set[str] = set()
    for field in fields:
        for name in getattr(item, field) or {}:
            yield from rule(name, f"{at}.{field}[{name}]")
            known.add(name)
    for name in sorted(known):
        yield from _bounds({field: (getattr(item, field) or {}).get(name) for field in fields}, name, at)


def _bounds(amounts: dict[str, str | None], name: str, at: str) -> Iterator[FieldError]:
    """What must not be greater than what: (the field told, the lesser, the greater, the value shown, words)."""
    for field, low, high, shown, words in (
        ("min", "min", "max", "min", "min value {} is greater than max value {}"),
        ("defaultRequest", "min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
        ("defaultRequest", "defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
        (
            "defaultRequest", "defaultRequest", "default", "defaultRequest",
            "default request value {} is greater than default limit value {}",
        ),
        ("default", "min", "default", "min", "min value {} is greater than default value {}"),
        ("default", "default", "max", "max", "default value {} is greater than max value {}"),
    ):  # fmt: skip
        one, other = amounts.get(low), amounts.get(high)
        if one is not None and other is not None and quantity.parse(one) > quantity.parse(other):
            yield invalid(f"{at}.{field}[{name}]", amounts[shown], words.format(one, other))
    yield from _ratio(amounts, f"{at}.maxLimitRequestRatio[{name}]")
    limit, request = amounts.get("default"), amounts.get("defaultRequest")
    if limit and request and not may_overcommit(name) and quantity.parse(limit) != quantity.parse(request):
        text = f"default value {limit} must equal to defaultRequest value {request} in {name}"
        yield invalid(f"{at}.defaultRequest[{name}]", request, text)


def _ratio(amounts: dict[str, str | None], path: str) -> Iterator[FieldError]:
    ratio, least, most = (amounts.get(field) for field in ("maxLimitRequestRatio", "min", "max"))
    if ratio is None:
        return
    if quantity.parse(ratio) < 1:
        yield invalid(path, ratio, f"ratio {ratio} is less than 1")
    if least is not None and most is not None and quantity.parse(least):
        between = quantity.parse(most) / quantity.parse(least)
        if quantity.parse(ratio) > between:
            yield invalid(path, ratio, f"ratio {ratio} is greater than max/min = {between:.6f}")


RESOURCE = Resource(
    view=LimitRange,
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    short_names=("limits",),
    has_generation=False,
    create_on_update=True,
    set_defaults=set_defaults,
    validate=validate,
)
