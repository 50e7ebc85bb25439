"""Field index: which entries of a cache have which value of a selectable field, so that the pods of one node are not looked for.

A field is indexed from the first question for it on; that question reads every entry, those after it only what they ask for. Who
keeps the entries tells of each change. apiserver pkg/storage/cacher (indexers: spec.nodeName of pods)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from kube.api.meta import Tree

if TYPE_CHECKING:
    from apiserver.storage.entry import Entry

Getters = Mapping[str, Callable[[Tree], str]]


class FieldIndex:
    """Of one cache, whose `getters` tell the fields of an entry."""

    def __init__(self, getters: Getters) -> None:
        self._getters = getters
        self._fields: dict[str, dict[str, dict[str, Entry]]] = {}  # by field, value and key

    def having(self, field: str, value: str, entries: Iterable["Entry"]) -> "Iterable[Entry]":
        """Those of all `entries` that have this value, in no order."""
        values = self._fields.get(field)
        if values is None:
            values = self._fields[field] = {}
            for entry in entries:
                values.setdefault(self._value(field, entry), {})[entry.key] = entry
        return values.get(value, {}).values()

    def change(self, old: "Entry | None", new: "Entry | None") -> None:
        """`new` takes the place of `old`; None: there is none."""
        for field, values in self._fields.items():
            if old is not None:
                before = self._value(field, old)
                same = values[before]
                del same[old.key]
                if not same:
                    del values[before]
            if new is not None:
                values.setdefault(self._value(field, new), {})[new.key] = new

    def clear(self) -> None:
        """The entries are others now."""
        self._fields.clear()

    def _value(self, field: str, entry: "Entry") -> str:
        return entry.fields(self._getters).get(field, "")
