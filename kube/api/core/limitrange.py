"""LimitRange: bounds and defaults of what one pod, container or claim of a namespace may ask for (v1).

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from collections.abc import Iterator

from kube.api import quantity
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid
from kube.api.types import LimitRange, LimitRangeItem

CONTAINER = "Container"


def set_defaults(tree: Tree) -> None:
    """A container's default limit is the most it may have; its default request is the default limit, or the least."""
    for item in (tree.get("spec") or {}).get("limits") or ():
        if item.get("type") != CONTAINER:
            continue
        limits = item.setdefault("default", {})
        for name, amount in (item.get("max") or {}).items():
            limits.setdefault(name, amount)
        requests = item.setdefault("defaultRequest", {})
        for name, amount in [*(item.get("min") or {}).items(), *limits.items()]:
            requests.setdefault(name, amount)
        for field in ("default", "defaultRequest"):
            if not item[field]:
                del item[field]


def validate(new: LimitRange, old: LimitRange | None) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate((new.spec.limits if new.spec else None) or ()):
        at = f"spec.limits[{index}]"
        if item.type in seen:
            yield duplicate(f"{at}.type", item.type)
        seen.add(item.type)
        yield from _item(item, at)


def _item(item: LimitRangeItem, at: str) -> Iterator[FieldError]:
    least, most = item.min or {}, item.max or {}
    default, request, ratio = item.default or {}, item.defaultRequest or {}, item.maxLimitRequestRatio or {}
    if item.type == "Pod":
        for field, values in (("default", default), ("defaultRequest", request)):
            if values:
                yield forbidden(f"{at}.{field}", "may not be specified when `type` is 'Pod'")
    for name in sorted({*least, *most, *default, *request}):
        for field, low, high, words in (
            ("min", least, most, "min value {} is greater than max value {}"),
            ("defaultRequest", least, request, "min value {} is greater than default request value {}"),
            ("defaultRequest", request, most, "default request value {} is greater than max value {}"),
            ("default", request, default, "default request value {} is greater than default limit value {}"),
            ("default", default, most, "default value {} is greater than max value {}"),
        ):
            if name in low and name in high and quantity.parse(low[name]) > quantity.parse(high[name]):
                shown = low[name] if field == "min" else high[name] if high is not most else low[name]
                yield invalid(f"{at}.{field}[{name}]", shown, words.format(low[name], high[name]))
    for name, amount in ratio.items():
        if quantity.parse(amount) < 1:
            yield invalid(f"{at}.maxLimitRequestRatio[{name}]", amount, f"ratio {amount} is less than 1")


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
