"""Event: the newer form of core's Event, and the same stored object (events.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · pkg/apis/core/v1 and events/v1, conversion.go
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from kube.api.columns import age, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid
from kube.api.types import EventsEvent

# events.k8s.io's name of a field -> core's; every other field has one name in both.
CORE_NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_OWN_NAMES = {core: own for own, core in CORE_NAMES.items()}


INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def from_core(tree: Tree) -> Tree:
    """This group's form of a stored event."""
    return {_OWN_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "events.k8s.io/v1"}


def to_core(tree: Tree) -> Tree:
    """The form that is stored. Core's Event writes these fields even when they are empty."""
    core = {CORE_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "v1"}
    core.setdefault("involvedObject", {})
    return core


def validate(new: EventsEvent, old: EventsEvent | None) -> Iterator[FieldError]:
    """Events may only be about objects of their own namespace."""
    namespace = (new.regarding.namespace if new.regarding else None) or ""
    if namespace != new.metadata.namespace and not (namespace == "" and new.metadata.namespace == "default"):
        yield invalid("involvedObject.namespace", namespace, "does not match event.namespace")


def first_seen(event: EventsEvent) -> datetime | None:
    return event.deprecatedFirstTimestamp or event.eventTime


def last_seen(event: EventsEvent) -> datetime | None:
    if event.series is not None:
        return event.series.lastObservedTime
    return event.deprecatedLastTimestamp or first_seen(event)


def count(event: EventsEvent) -> int:
    if event.series is not None:
        return event.series.count or 0
    return event.deprecatedCount or 1


def target(event: EventsEvent) -> str:
    if event.regarding is None:
        return ""
    kind = (event.regarding.kind or "").lower()
    return f"{kind}/{event.regarding.name}" if event.regarding.name else kind


def source(event: EventsEvent) -> str:
    old = event.deprecatedSource
    component, host = (old.component, old.host) if old else (None, None)
    if not component:
        component, host = event.reportingController, event.reportingInstance
    return ", ".join(part for part in (component, host) if part)


def _regarding(field: str) -> Callable[[Tree], str]:
    return lambda tree: (tree.get("regarding") or {}).get(field) or ""


def _own(field: str) -> Callable[[Tree], str]:
    return lambda tree: tree.get(field) or ""


RESOURCE = Resource(
    view=EventsEvent,
    group="events.k8s.io",
    version="v1",
    kind="Event",
    plural="events",
    short_names=("ev",),
    has_generation=False,
    create_on_update=True,
    stored_in="core",
    view_tree=from_core,
    stored_tree=to_core,
    validate=validate,
    columns=(
        Column("Last Seen", lambda event, now: age(last_seen(event), now)),
        plain("Type", lambda event: event.type or ""),
        plain("Reason", lambda event: event.reason or ""),
        plain("Object", target),
        plain("Subobject", lambda event: (event.regarding.fieldPath if event.regarding else None) or "", wide=True),
        plain("Source", source, wide=True),
        plain("Message", lambda event: (event.note or "").strip()),
        Column("First Seen", lambda event, now: age(first_seen(event), now), priority=1),
        Column("Count", lambda event, now: count(event), type="integer", priority=1),
        Column("Name", lambda event, now: event.metadata.name, format="name", priority=1),
    ),
    field_selectors={
        **{f"regarding.{field}": _regarding(field) for field in INVOLVED},
        "reason": _own("reason"),
        "reportingController": _own("reportingController"),
        "type": _own("type"),
    },
)
