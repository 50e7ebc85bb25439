"""Event: something that happened to an object, told once and counted (v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from kube.api import names
from kube.api.columns import age, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import Event
from kube.api.validation import complain

WORD_LENGTH, MESSAGE_LENGTH = 128, 1024
WITHOUT_NAMESPACE = ("", "default")  # where events of cluster-scoped objects live


def set_defaults(tree: Tree) -> None:
    """What clients count on being there, though it says nothing: these fields are no pointers in Go."""
    for field in ("involvedObject", "source"):
        tree.setdefault(field, {})
    for field in ("firstTimestamp", "lastTimestamp", "eventTime"):
        tree.setdefault(field, None)
    for field in ("reportingComponent", "reportingInstance"):
        tree.setdefault(field, "")


def validate(new: Event, old: Event | None) -> Iterator[FieldError]:
    """Events may only be about objects of their own namespace; newer ones, with an eventTime, say who reports and what was done."""
    involved, own = new.involvedObject.namespace or "", new.metadata.namespace or ""
    if new.eventTime is None:
        if involved != own and not (involved == "" and own in WITHOUT_NAMESPACE):
            yield invalid("involvedObject.namespace", involved, "does not match event.namespace")
        return
    if not involved and own not in ("default", "kube-system"):
        yield invalid("involvedObject.namespace", involved, "does not match event.namespace")
    yield from story_errors(
        new.reportingComponent, new.reportingInstance, new.action, new.reason, new.message, "reportingComponent"
    )


def story_errors(
    controller: str | None,
    instance: str | None,
    action: str | None,
    reason: str | None,
    message: str | None,
    reporter: str = "reportingController",
) -> Iterator[FieldError]:
    """Who reports what was done and why, in either group's form; `reporter` is the first field's name in it."""
    if not controller:
        yield required(reporter)
    yield from complain(reporter, controller or "", names.qualified)
    for field, text, limit in (
        ("reportingInstance", instance, WORD_LENGTH),
        ("action", action, WORD_LENGTH),
        ("reason", reason, WORD_LENGTH),
        ("message", message, MESSAGE_LENGTH),
    ):
        if not text and field != "message":
            yield required(field)
        if len((text or "").encode()) > limit:
            yield invalid(field, "", f"can have at most {limit} characters")


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
    deletes_dependents="",  # it owns nothing
    set_defaults=set_defaults,
    validate=validate,
    validate_name=names.path_segment,
    columns=(
        Column("Last Seen", lambda event, now: age(last_seen(event), now)),
        plain("Type", lambda event: event.type or ""),
        plain("Reason", lambda event: event.reason or ""),
        plain("Object", target),
        plain("Subobject", lambda event: event.involvedObject.fieldPath or "", wide=True),
        plain("Source", source, wide=True),
        plain("Message", lambda event: (event.message or "").strip()),
        Column("First Seen", lambda event, now: age(first_seen(event), now), priority=1),
        Column("Count", lambda event, now: count(event), priority=1),
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
