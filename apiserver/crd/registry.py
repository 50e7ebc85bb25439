"""Registry: the definitions as this API server knows them, and the rows that it serves for each.

It follows the definitions by the watch cache. A definition is served while it is Established; when anything that its rows are made
of changes, they are made anew and the watches of its kind end, so that clients begin again with the new form.

An API server that is asked for a resource that it does not serve looks at the newest definitions first (App, by
storage/abreast.py): whoever saw a definition Established at one API server may use it at any other at once.
"""

from dataclasses import replace
from typing import Any

from apiserver import metrics
from apiserver.context import Server
from apiserver.crd import conditions, status
from apiserver.crd.conversion import Call
from apiserver.crd.definition import DEFINITION
from apiserver.crd.rows import rows_of
from apiserver.storage.follow import follow
from apiserver.webhooks import client
from kube.api.meta import Key, Tree
from kube.api.resource import Resource

CALL_SECONDS = 30.0  # upstream's timeout of a conversion
ROOM = "crd"  # in server.state


class Registry:
    """All definitions by name. Everything here is synchronous."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._definitions: dict[str, Tree] = {}
        self._rows: dict[str, list[Resource]] = {}
        self.worker = status.Worker(server, self)

    def put(self, key: Key, tree: Tree | None) -> None:
        """A definition is there, has changed, or is gone."""
        before = self._definitions.get(key.name)
        if tree is None:
            self._definitions.pop(key.name, None)
            self._serve(key.name, [])
        elif before is None or _revision(before) < _revision(tree):
            self._definitions[key.name] = tree
            if before is None or _served_part(before) != _served_part(tree):
                self._serve(key.name, self._rows_of(tree))
            elif _is_ending(before) != _is_ending(tree):
                self._take_new(key.name, not _is_ending(tree))
        self.worker.look_at(key.name, tree or before)

    def in_group(self, group: str) -> list[Tree]:
        return [one for one in self._definitions.values() if one["spec"]["group"] == group]

    def find(self, name: str) -> Tree | None:
        return self._definitions.get(name)

    def served(self) -> list[tuple[Tree, list[Resource]]]:
        """The definitions that are served, each with its rows."""
        return [(self._definitions[name], rows) for name, rows in self._rows.items() if rows]

    def _rows_of(self, definition: Tree) -> list[Resource]:
        if not conditions.is_true(definition, conditions.ESTABLISHED):
            return []
        return rows_of(definition, _caller(self._server, definition), creates=not _is_ending(definition))

    def _take_new(self, name: str, accepts: bool) -> None:
        """New objects may come, or not. Whoever watches goes on, and sees the objects of a deleted definition go."""
        self._rows[name] = [replace(row, accepts_create=accepts) for row in self._rows.get(name, ())]
        for row in self._rows[name]:
            self._server.routes.add(row)

    def _serve(self, name: str, rows: list[Resource]) -> None:
        old = self._rows.get(name, [])
        kept = {(row.version, row.plural) for row in rows}
        self._rows[name] = rows
        for row in old:
            if (row.version, row.plural) not in kept:
                self._server.routes.remove(row)
                metrics.forget_objects(row)
        for row in rows:
            self._server.routes.add(row)
            metrics.count_objects(self._server, row)
        if not rows:
            del self._rows[name]
        for prefix in {self._server.stores.prefix(row) for row in old}:
            cache = self._server.stores.feed.cache(prefix)
            for entry in cache.below(prefix):
                entry.forms = None  # made by forms that are no more
            cache.end_watchers()


def start(server: Server) -> None:
    """Serve the definitions, for the server's life."""
    registry = server.state[ROOM] = Registry(server)
    server.routes.add(DEFINITION)
    follow(server, DEFINITION, registry.put)
    if server.place.first:
        server.spawn(registry.worker.run(), "custom resource definitions")


def registry_of(server: Server) -> Registry:
    found: Registry = server.state[ROOM]
    return found


def _caller(server: Server, definition: Tree) -> Call | None:
    conversion = definition["spec"].get("conversion") or {}
    if conversion.get("strategy") != "Webhook":
        return None
    config: Tree = conversion["webhook"]["clientConfig"]
    name = str(definition["metadata"]["name"])

    async def call(review: Tree) -> Tree:
        return await client.call(server, config, review, timeout_seconds=CALL_SECONDS, name=name)

    return call


def _revision(tree: Tree) -> int:
    return int(tree["metadata"]["resourceVersion"])


def _served_part(tree: Tree) -> Any:
    """What the rows are made of."""
    return tree["spec"], (tree.get("status") or {}).get("acceptedNames"), conditions.is_true(tree, conditions.ESTABLISHED)


def _is_ending(tree: Tree) -> bool:
    return bool(tree["metadata"].get("deletionTimestamp"))
