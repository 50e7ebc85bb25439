"""Known: the policies of one kind with their bindings, compiled, in the order in which they are asked — by name.

Read from the watch cache when it has changed; each policy is compiled once for each of its versions.
apiserver pkg/admission/plugin/policy/generic/policy_source.go
"""

from collections.abc import Callable

from apiserver.admission.policy.definition import Binding, Policy, binding
from apiserver.context import Server
from apiserver.storage.store import Store
from kube.api.meta import Tree
from kube.api.resource import Resource

Bound = tuple[Policy, tuple[Binding, ...]]


class Known:
    def __init__(self, policies: Resource, bindings: Resource, parse: Callable[[Tree], Policy]) -> None:
        self._rows = (policies, bindings)
        self._parse = parse
        self._server: Server | None = None
        self._stores: tuple[Store, ...] = ()
        self._seen: list[int] = []
        self._compiled: dict[tuple[str, str], Policy] = {}  # by uid and resourceVersion
        self._bound: tuple[Bound, ...] = ()

    def current(self, server: Server) -> tuple[Bound, ...]:
        """Policies that are bound somewhere."""
        if server is not self._server:
            self._server, self._seen = server, []
            self._stores = tuple(server.stores.store_for(row) for row in self._rows)
        seen = [store.cache.changed for store in self._stores]
        if seen != self._seen:
            self._bound = self._read(*(store.cached_list() for store in self._stores))
            self._seen = seen
        return self._bound

    def _read(self, policies: list[Tree], bindings: list[Tree]) -> tuple[Bound, ...]:
        parsed = sorted(map(binding, bindings), key=lambda one: one.name)
        compiled: dict[tuple[str, str], Policy] = {}
        found: list[Bound] = []
        for tree in sorted(policies, key=lambda one: str(one["metadata"]["name"])):
            metadata = tree["metadata"]
            own = tuple(one for one in parsed if one.policy == metadata["name"])
            if own:
                version = (metadata.get("uid", ""), metadata.get("resourceVersion", ""))
                compiled[version] = self._compiled.get(version) or self._parse(tree)
                found.append((compiled[version], own))
        self._compiled = compiled
        return tuple(found)
