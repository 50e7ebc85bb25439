"""Entry: one object at one revision, as the watch cache holds it and clients get it."""

from collections.abc import Callable, Mapping

import msgspec
import orjson

from apiserver.storage import codec
from apiserver.storage.packing import Samples
from kube.api.meta import Tree

FieldGetters = Mapping[str, Callable[[Tree], str]]


class _Metadata(msgspec.Struct, rename={"deletion_timestamp": "deletionTimestamp"}):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None


class _Head(msgspec.Struct):
    metadata: _Metadata


_head_decoder = msgspec.json.Decoder(_Head)


class Entry:
    """One object at one revision. There are as many as there are objects, and more: an attribute costs a megabyte."""

    __slots__ = ("_bytes", "_fields", "_metadata", "_renderings", "_samples", "forms", "key", "revision")

    def __init__(self, key: str, data: bytes, revision: int) -> None:
        self.key = key
        self.revision = revision
        self.forms: dict[object, Entry | None] | None = None  # as a ServedForm makes it; None: it looks just so
        self._bytes = data
        self._samples: Samples | None = None  # by which they are packed, if they are
        self._renderings: dict[object, bytes] | None = None
        self._metadata: _Metadata | None = None
        self._fields: dict[str, str] | None = None

    @property
    def data(self) -> bytes:
        """The bytes that clients get."""
        return self._bytes if self._samples is None else self._samples.unpacked(self._bytes)

    def pack(self, packed: bytes, samples: Samples) -> None:
        """Hold its bytes as they are packed by these samples, if that is less."""
        if self._samples is None and len(packed) < len(self._bytes):
            self._bytes, self._samples = packed, samples

    def rendering(self, name: object, make: Callable[[], bytes]) -> bytes:
        """Another form than `data`, made for who asks first and kept for the others."""
        if self._renderings is None:
            self._renderings = {}
        found = self._renderings.get(name)
        if found is None:
            found = self._renderings[name] = make()
        return found

    @property
    def metadata(self) -> _Metadata:
        if self._metadata is None:
            self._metadata = _head_decoder.decode(self.data).metadata
        return self._metadata

    def tree(self) -> Tree:
        """A fresh tree; the caller may change it."""
        tree: Tree = orjson.loads(self.data)
        return tree

    def fields(self, getters: FieldGetters) -> dict[str, str]:
        """The values of every selectable field, decoded at the first question."""
        if self._fields is None:
            tree = self.tree() if getters else {}
            self._fields = {name: getter(tree) for name, getter in getters.items()}
            self._fields["metadata.name"] = self.metadata.name
            self._fields["metadata.namespace"] = self.metadata.namespace
        return self._fields

    def at(self, revision: int) -> "Entry":
        """The same content as of a later revision: what a DELETED event carries."""
        return Entry(self.key, codec.served(self.data, revision), revision)
