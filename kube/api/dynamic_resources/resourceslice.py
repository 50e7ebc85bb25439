"""ResourceSlice: devices of a pool that a driver offers, on a node, on those that a selector names, or on all (resource.k8s.io/v1).

Of nodeName, nodeSelector, allNodes and perDeviceNodeSelection exactly one is set; with the last, each device says it for itself.
https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/resource-slice-v1/
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.defaults import fill
from kube.api.dynamic_resources import requests
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required, too_many
from kube.api.types import ResourceSlice

MOST_DEVICES, MOST_ATTRIBUTES = 128, 32
PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
EFFECTS = ("NoExecute", "NoSchedule", "None")
ATTRIBUTE_FIELDS = ("bool", "bools", "int", "ints", "string", "strings", "version", "versions")


def set_defaults(tree: Tree) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for device in (tree.get("spec") or {}).get("devices") or ():
        for taint in device.get("taints") or ():
            fill(taint, timeAdded=now)


def validate(new: ResourceSlice, old: ResourceSlice | None) -> Iterator[FieldError]:
    spec: Any = new.spec
    yield from validation.named("spec.driver", (spec.driver or "").lower(), names.subdomain)
    yield from _pool(spec.pool)
    yield from _place(spec, "spec", PLACES)
    if spec.devices and spec.sharedCounters:
        yield invalid("spec", None, "exactly one of `devices` and `sharedCounters` must be set")
    if len(spec.devices or ()) > MOST_DEVICES:
        yield too_many("spec.devices", len(spec.devices), MOST_DEVICES)
    seen: set[str] = set()
    for index, device in enumerate(spec.devices or ()):
        at = f"spec.devices[{index}]"
        yield from validation.named(f"{at}.name", device.name, names.label)
        if device.name in seen:
            yield duplicate(f"{at}.name", device.name)
        seen.add(device.name)
        yield from _device(device, at, own_place=bool(spec.perDeviceNodeSelection))
    if old is not None:
        yield from validation.unchanged("spec.driver", spec.driver, old.spec.driver)
        yield from validation.unchanged("spec.pool.name", spec.pool.name, old.spec.pool.name)
        yield from validation.unchanged("spec.nodeName", spec.nodeName, old.spec.nodeName)


def _pool(pool: Any) -> Iterator[FieldError]:
    if not pool.name:
        yield required("spec.pool.name")
    for part in (pool.name or "").split("/") if pool.name else ():
        yield from validation.named("spec.pool.name", part, names.subdomain)
    if (pool.resourceSliceCount or 0) <= 0:
        yield invalid("spec.pool.resourceSliceCount", pool.resourceSliceCount or 0, "must be greater than zero")
    if (pool.generation or 0) < 0:
        yield invalid("spec.pool.generation", pool.generation, "must be greater than or equal to zero")


def _place(said: Any, path: str, places: tuple[str, ...]) -> Iterator[FieldError]:
    found = [place for place in places if getattr(said, place)]
    told = ", ".join(f"`{place}`" for place in places)
    if not found:
        yield required(path, f"exactly one of {told} is required")
    elif len(found) > 1:
        yield invalid(path, "{" + ", ".join(found) + "}", f"exactly one of {told} is required, but multiple fields are set")


def _device(device: Any, path: str, *, own_place: bool) -> Iterator[FieldError]:
    if own_place:
        yield from _place(device, path, PLACES[:3])
    size = len(device.attributes or {}) + len(device.capacity or {})
    if size > MOST_ATTRIBUTES:
        yield invalid(path, size, f"the total number of attributes and capacities must not exceed {MOST_ATTRIBUTES}")
    for name, attribute in (device.attributes or {}).items():
        at = f"{path}.attributes[{name}]"
        yield from requests.qualified_name(name, at)
        found = [field for field in ATTRIBUTE_FIELDS if attribute.get(field) is not None]  # a map: the models do not type it
        if len(found) != 1:
            text = "exactly one value must be specified"
            yield invalid(at, None, text) if found else required(at, text)
    for name in device.capacity or {}:
        yield from requests.qualified_name(name, f"{path}.capacity[{name}]")
    for index, taint in enumerate(device.taints or ()):
        at = f"{path}.taints[{index}]"
        yield from validation.named(f"{at}.key", taint.key, names.qualified)
        yield from validation.one_of(f"{at}.effect", taint.effect, EFFECTS)


def _field(name: str, tree: Tree) -> str:
    return str((tree.get("spec") or {}).get(name) or "")


RESOURCE = Resource(
    view=ResourceSlice,
    group="resource.k8s.io",
    version="v1",
    kind="ResourceSlice",
    plural="resourceslices",
    namespaced=False,
    set_defaults=set_defaults,
    validate=validate,
    field_selectors={
        "spec.nodeName": lambda tree: _field("nodeName", tree),
        "spec.driver": lambda tree: _field("driver", tree),
    },
    columns=(
        plain("Node", lambda one: one.spec.nodeName or "<unset>"),
        plain("Driver", lambda one: one.spec.driver),
        plain("Pool", lambda one: one.spec.pool.name),
        AGE,
    ),
)
