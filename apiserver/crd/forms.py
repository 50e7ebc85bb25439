"""Forms: a stored custom resource as the clients of one served version see it, and back.

    read     defaults of the version it is stored in → conversion → pruned by the version asked for
    write    conversion to the storage version → pruned by that

What was made once stays with the cached entry. A changed definition makes new forms, so nothing of the old ones is found again.
apiextensions-apiserver pkg/apiserver/customresource_handler.go (crdConversionRESTOptionsGetter), conversion/converter.go
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from apiserver.crd.conversion import Converter
from apiserver.storage import codec
from apiserver.storage.entry import Entry
from kube.api.apiextensions.defaulting import fill_in
from kube.api.apiextensions.pruning import drop_nulls, prune
from kube.api.apiextensions.structural import Schema
from kube.api.meta import Tree


@dataclass(frozen=True, eq=False)
class Form:
    """The served form of one version (apiserver.storage.served_form.ServedForm)."""

    api_version: str
    stored_version: str  # the apiVersion that objects are written in
    schemas: Mapping[str, Schema]  # by apiVersion
    converter: Converter

    async def entries(self, stored: Sequence[Entry]) -> list[Entry]:
        missing = [entry for entry in stored if entry.forms is None or self not in entry.forms]
        if missing:
            await self._make(missing)
        return [self._made(entry) for entry in stored]

    async def stored(self, tree: Tree) -> Tree:
        if tree["apiVersion"] == self.stored_version:
            return tree
        own: Tree = orjson.loads(orjson.dumps(tree))
        [converted] = await self.converter.convert([own], self.stored_version)
        self._fit(converted, self.stored_version)
        return converted

    async def _make(self, entries: list[Entry]) -> None:
        trees = [entry.tree() for entry in entries]
        for tree in trees:
            fill_in(tree, self.schemas.get(tree["apiVersion"]))
        for entry, tree in zip(entries, await self.converter.convert(trees, self.api_version), strict=True):
            self._fit(tree, self.api_version)
            data = codec.served(codec.encode(tree), entry.revision)
            if entry.forms is None:
                entry.forms = {}
            entry.forms[self] = None if data == entry.data else Entry(entry.key, data, entry.revision)

    def _made(self, entry: Entry) -> Entry:
        made = entry.forms[self] if entry.forms is not None else None
        return entry if made is None else made

    def _fit(self, tree: Tree, api_version: str) -> None:
        schema = self.schemas[api_version]
        prune(tree, schema)
        drop_nulls(tree, schema)
