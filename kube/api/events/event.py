"""Event: the newer form of core's Event, and the same stored object (events.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · pkg/apis/core/v1 and events/v1, conversion.go
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from kube.api import validation
from kube.api.columns import age, plain
from kube.api.core import event as core_event
from kube.api.core.event import story_errors
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import EventsEvent
from kube.api.views import tree_of

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
# In complaints: upstream checks core's form.
TOLD_AS = {
    "regarding": "involvedObject", "note": "message", "deprecatedSource": "source", "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp", "deprecatedLastTimestamp": "lastTimestamp",
}  # fmt: skip
FIXED = (
    "regarding", "reason", "note", "deprecatedSource", "deprecatedFirstTimestamp", "deprecatedLastTimestamp",
    "deprecatedCount", "type", "eventTime", "action", "related", "reportingController", "reportingInstance",
)  # fmt: skip
_OWN_NAMES = {core: own for own, core in CORE_NAMES.items()}


INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def set_defaults(tree: Tree) -> None:
    """As core's form has them."""
    for field in ("regarding", "deprecatedSource"):
        tree.setdefault(field, {})
    for field in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"):
        tree.setdefault(field, None)


def from_core(tree: Tree) -> Tree:
    """This group's form of a stored event."""
    own = {_OWN_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "events.k8s.io/v1"}
    for field in ("reportingController", "reportingInstance"):
        if own.get(field) == "":
            del own[field]
    return own


def to_core(tree: Tree) -> Tree:
    """The form that is stored. Core's Event writes these fields even when they are empty."""
    core = {CORE_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "v1"}
    core_event.set_defaults(core)
    return core


def validate(new: EventsEvent, old: EventsEvent | None) -> Iterator[FieldError]:
    """Stricter than core's: what only older clients write must not be there, and nothing but the series changes."""
    involved, own = (new.regarding.namespace if new.regarding else None) or "", new.metadata.namespace or ""
    dated = new.eventTime is not None and new.eventTime.year > 1
    homeless = ("default", "kube-system") if dated else ("default",)
    if own not in homeless if not involved else (not dated and own != involved):
        yield invalid("involvedObject.namespace", involved, "does not match event.namespace")
    if dated:
        yield from story_errors(new.reportingController, new.reportingInstance, new.action, new.reason, new.note)
    if old is None or new.series != old.series:
        yield from _series(new)
    if old is not None:
        for field in FIXED:
            yield from validation.unchanged(TOLD_AS.get(field, field), getattr(new, field), getattr(old, field))
        return
    if not dated:
        yield required("eventTime")
    if new.type not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {new.type or ''}")
    for field in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount", "deprecatedSource"):
        if tree_of(getattr(new, field)):
            yield invalid(TOLD_AS[field], "", "needs to be unset")


def _series(event: EventsEvent) -> Iterator[FieldError]:
    if event.series is None:
        return
    if (event.series.count or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if event.series.lastObservedTime is None or event.series.lastObservedTime.year == 1:
        yield required("series.lastObservedTime")


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
    deletes_dependents="",  # it owns nothing
    stored_in="core",
    view_tree=from_core,
    stored_tree=to_core,
    set_defaults=set_defaults,
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
        Column("Count", lambda event, now: count(event), priority=1),
        Column("Name", lambda event, now: event.metadata.name, format="name", priority=1),
    ),
    field_selectors={
        **{f"regarding.{field}": _regarding(field) for field in INVOLVED},
        "reason": _own("reason"),
        "reportingController": _own("reportingController"),
        "type": _own("type"),
    },
)
