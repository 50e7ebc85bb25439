"""Columns: the pieces that the tables of many kinds share.

kubernetes pkg/printers/internalversion/printers.go
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kube.api import duration, labels
from kube.api.resource import Column

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, for people. The first year is Go's zero time: nothing was said."""
    return UNKNOWN if moment is None or moment.year == 1 else duration.human((now - moment).total_seconds())


def plain(name: str, value: Callable[[Any], Any], *, wide: bool = False, type: str = "string") -> Column:
    """A column that does not depend on the time."""
    return Column(name, lambda view, now: value(view), type=type, priority=1 if wide else 0)


def number(name: str, value: Callable[[Any], Any]) -> Column:
    return plain(name, lambda view: value(view) or 0, type="integer")


AGE = Column("Age", lambda view, now: age(view.metadata.creationTimestamp, now))


def container_names(containers: Iterable[Any] | None) -> str:
    return ",".join(one.name for one in containers or ())


def container_images(containers: Iterable[Any] | None) -> str:
    return ",".join(one.image or "" for one in containers or ())


def template_columns(*, selector: bool = True) -> tuple[Column, ...]:
    """Containers, Images and Selector of a kind with a pod template, shown with -o wide."""
    wide = (
        plain("Containers", lambda view: container_names(view.spec.template.spec.containers), wide=True),
        plain("Images", lambda view: container_images(view.spec.template.spec.containers), wide=True),
    )
    return (*wide, plain("Selector", lambda view: selector_text(view.spec.selector), wide=True)) if selector else wide


def selector_text(selector: Any) -> str:
    """A LabelSelector or a map of labels, as text."""
    if isinstance(selector, Mapping):
        return map_text(selector)
    return str(labels.from_label_selector(selector)) or NONE if selector is not None else NONE


def map_text(values: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or NONE


def at_most(limit: int, found: list[str], *, empty: str = NONE) -> str:
    """The first few, and how many more there are."""
    text = ",".join(found[:limit]) or empty
    return f"{text} + {len(found) - limit} more..." if len(found) > limit else text
