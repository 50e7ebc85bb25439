"""Event: something that happened to an object, told once and counted (v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from kube.api.columns import age, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid
from kube.api.types import Event

WITHOUT_NAMESPACE = ("", "default")  # where events of cluster-scoped objects live


def validate(new: Event, old: Event | None) -> Iterator[FieldError]:
    """Events may only be about objects of their own namespace."""
    involved = new.involvedObject.namespace or ""
    if involved != new.metadata.namespace and not (involved == "" and new.metadata.namespace in WITHOUT_NAMESPACE):
        yield invalid("involvedObject.namespace", involved, "does not match event.namespace")


def first_seen(event: Event) -> datetime | None:
    return event.firstTimestamp or event.eventTime


def last_seen(event: Event) -> datetime | None:
    if event.series is not None:
        return event.series.lastObservedTime
    return event.lastTimestamp or first_seen(event)


def count(event: Event) -> int:
    if event.series is not None:
        return event.series.count or 0
    return event.count or 1


def target(event: Event) -> str:
    involved = event.involvedObject
    kind = (involved.kind or "").lower()
    return f"{kind}/{involved.name}" if involved.name else kind


def source(event: Event) -> str:
    component, host = (event.source.component, event.source.host) if event.source else (None, None)
    if not component:
        component, host = event.reportingComponent, event.reportingInstance
    return ", ".join(part for part in (component, host) if part)


def _involved(field: str) -> Callable[[Tree], str]:
    return lambda tree: (tree.get("involvedObject") or {}).get(field) or ""


def _own(field: str) -> Callable[[Tree], str]:
    return lambda tree: tree.get(field) or ""


def _source(tree: Tree) -> str:
    return (tree.get("source") or {}).get("component") or tree.get("reportingComponent") or ""


RESOURCE = Resource(
    view=Event,
    group="",
    version="v1",
    kind="Event",
    plural="events",
    short_names=("ev",),
    has_generation=False,
    create_on_update=True,
    validate=validate,
    columns=(
        Column("Last Seen", lambda event, now: age(last_seen(event), now)),
        plain("Type", lambda event: event.type or ""),
        plain("Reason", lambda event: event.reason or ""),
        plain("Object", target),
        plain("Subobject", lambda event: event.involvedObject.fieldPath or "", wide=True),
        plain("Source", source, wide=True),
        plain("Message", lambda event: (event.message or "").strip()),
        Column("First Seen", lambda event, now: age(first_seen(event), now), priority=1),
        Column("Count", lambda event, now: count(event), type="integer", priority=1),
        Column("Name", lambda event, now: event.metadata.name, format="name", priority=1),
    ),
    field_selectors={
        **{
            f"involvedObject.{field}": _involved(field)
            for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        },
        "reason": _own("reason"),
        "reportingComponent": _own("reportingComponent"),
        "source": _source,
        "type": _own("type"),
    },
)
