"""Hooks: the configured webhooks, parsed, in the order in which they are asked — configurations by name, webhooks as listed.

They are read from the watch cache and parsed again only when it has changed; so a change counts within milliseconds, nothing polls,
and a request without webhooks pays for one comparison.
apiserver pkg/admission/configuration
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from apiserver.context import Server
from apiserver.storage.store import Store
from kube.api.labels import Selector, from_label_selector
from kube.api.meta import Tree
from kube.api.resource import Resource

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Hook:
    """One webhook of a configuration."""

    uid: str  # of this webhook in this configuration, for the second round
    configuration: str
    name: str
    client_config: Tree
    rules: tuple[Tree, ...]
    namespace_selector: Selector
    object_selector: Selector
    equivalent: bool  # matchPolicy Equivalent: also asked about other versions of what its rules name
    ignores_failure: bool
    side_effects: str
    timeout_seconds: float
    versions: tuple[str, ...]  # of AdmissionReview that it accepts
    reinvoked: bool
    match_conditions: tuple[Tree, ...]
    excluded: tuple[Tree, ...] = ()  # rules of policies only


class Hooks:
    """The webhooks of one kind of configuration."""

    def __init__(self, row: Resource) -> None:
        self._row = row
        self._store: Store | None = None
        self._seen = -1
        self._hooks: tuple[Hook, ...] = ()

    def current(self, server: Server) -> tuple[Hook, ...]:
        store = server.stores.store_for(self._row)
        if store is not self._store or store.cache.changed != self._seen:
            self._store, self._seen = store, store.cache.changed
            self._hooks = tuple(parsed(store.cached_list()))
        return self._hooks


def parsed(configurations: Iterable[Tree]) -> Iterable[Hook]:
    """The webhooks in order. Pure."""
    for configuration in sorted(configurations, key=lambda one: str(one["metadata"]["name"])):
        same: Counter[str] = Counter()
        for tree in configuration.get("webhooks") or ():
            yield _hook(configuration["metadata"]["name"], tree, same[tree["name"]])
            same[tree["name"]] += 1


def _hook(configuration: str, tree: Tree, index: int) -> Hook:
    return Hook(
        uid=f"{configuration}/{tree['name']}/{index}",
        configuration=configuration,
        name=tree["name"],
        client_config=tree.get("clientConfig") or {},
        rules=tuple(tree.get("rules") or ()),
        namespace_selector=from_label_selector(tree.get("namespaceSelector") or {}),
        object_selector=from_label_selector(tree.get("objectSelector") or {}),
        equivalent=tree.get("matchPolicy") != "Exact",
        ignores_failure=tree.get("failurePolicy") == "Ignore",
        side_effects=tree.get("sideEffects") or "",
        timeout_seconds=float(tree.get("timeoutSeconds") or TIMEOUT_SECONDS),
        versions=tuple(tree.get("admissionReviewVersions") or ()),
        reinvoked=tree.get("reinvocationPolicy") == "IfNeeded",
        match_conditions=tuple(tree.get("matchConditions") or ()),
    )
