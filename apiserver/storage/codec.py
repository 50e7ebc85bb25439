"""Codec: an object's stored bytes, and the same bytes as clients get them.

Stored is JSON without resourceVersion, with `kind`, `apiVersion` and `metadata` in front; what is served is the stored bytes
with `"resourceVersion":"N",` spliced in after `"metadata":{`, so that reading never decodes. JSON that another hand wrote in
another order is brought into this one first.
"""

import re

import orjson

from kube.api.meta import Tree

_TEXT = rb'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(rb'(\{"kind":%s,"apiVersion":%s,"metadata":\{)(?:"resourceVersion":%s,)?' % (_TEXT, _TEXT, _TEXT))


def encode(tree: Tree) -> bytes:
    """The bytes to store. `metadata` is not empty: it has a name at least."""
    metadata = {name: value for name, value in tree["metadata"].items() if name != "resourceVersion"}
    ordered = {"kind": tree["kind"], "apiVersion": tree["apiVersion"], "metadata": metadata}
    ordered |= {name: value for name, value in tree.items() if name not in ordered}
    return orjson.dumps(ordered)


def is_object(stored: bytes | None) -> bool:
    """Whether these bytes are an object's, or a deletion; else they are an allocator's notes, which are nobody's to watch."""
    return stored is None or stored.startswith(b"{")


def served(stored: bytes, revision: int) -> bytes:
    """The object with this resourceVersion, from stored bytes or from bytes served before."""
    head = _HEAD.match(stored)
    if head is None:
        stored = encode(orjson.loads(stored))
        head = _HEAD.match(stored)
        assert head is not None, "encode writes kind, apiVersion and metadata first"
    return b"".join((head[1], b'"resourceVersion":"%d",' % revision, memoryview(stored)[head.end() :]))
