"""Page: one answer of a list request, its objects decoded straight from the answer's bytes.

The server may leave apiVersion and kind out of the items of a typed list (upstream's does); here every view has them.
https://kubernetes.io/docs/reference/using-api/api-concepts/#collections
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

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
        complete(item, row)
    return Page(items, answer.metadata.revision, answer.metadata.token)


def complete(item: Any, row: Resource) -> None:
    """Say of a view what it is, where the server left it out; a view without these fields (metadata alone) stays as it is."""
    if getattr(item, "kind", "") is None:
        item.apiVersion, item.kind = row.api_version, row.kind
