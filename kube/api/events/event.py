"""Event: the newer form of core's Event, and the same stored object (events.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · pkg/apis/core/v1 and events/v1, conversion.go
"""

from kube.api.meta import Tree
from kube.api.resource import Resource
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


def from_core(tree: Tree) -> Tree:
    """This group's form of a stored event."""
    return {_OWN_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "events.k8s.io/v1"}


def to_core(tree: Tree) -> Tree:
    """The form that is stored. Core's Event writes these fields even when they are empty."""
    core = {CORE_NAMES.get(name, name): value for name, value in tree.items()} | {"apiVersion": "v1"}
    core.setdefault("involvedObject", {})
    return core


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
)
