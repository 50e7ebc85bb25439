"""Page: one answer of a list request, its objects decoded straight from the answer's bytes.

The server may leave apiVersion and kind out of the items of a typed list (upstream's does); here every view has them.
https://kubernetes.io/docs/reference/using-api/api-concepts/#collections
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from kube.api.resource import Resource
from kube.api.views import decode

V = TypeVar("V")


@dataclass(frozen=True)
class Page(Generic[V]):
    items: list[V]
    revision: str  # at which the list was read
    token: str  # to continue with; empty at the end


class _Meta(msgspec.Struct, rename={"revision": "resourceVersion", "token": "continue"}):
    revision: str = ""
    token: str = ""


class _List(msgspec.Struct):
    metadata: _Meta
    items: list[msgspec.Raw] | None = None


_DECODER = msgspec.json.Decoder(_List)


def decode_page(kind: type[V], row: Resource, body: bytes) -> Page[V]:
    """Raises msgspec.ValidationError where the answer is no list of this kind."""
    answer = _DECODER.decode(body)
    items = [decode(kind, raw) for raw in answer.items or ()]
    for item in items:
        if not item.kind:  # type: ignore[attr-defined]
            item.apiVersion, item.kind = row.api_version, row.kind  # type: ignore[attr-defined]
    return Page(items, answer.metadata.revision, answer.metadata.token)
