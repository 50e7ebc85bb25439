"""Page: one answer of a list request, its objects decoded straight from the answer's bytes.

The server may leave apiVersion and kind out of the items of a typed list (upstream's does); here every view has them.
https://kubernetes.io/docs/reference/using-api/api-concepts/#collections
"""

import logging
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from kube.api.resource import Resource
from kube.api.views import decode

log = logging.getLogger(__name__)

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
    """Raises msgspec.ValidationError where the answer is no list; an object that is none of this kind is logged and left out."""
    answer = _DECODER.decode(body)
    items = [one for raw in answer.items or () if (one := decode_one(kind, row, raw)) is not None]
    return Page(items, answer.metadata.revision, answer.metadata.token)


def decode_one(kind: type[V], row: Resource, data: bytes) -> V | None:
    """None, logged, for what is no object of this kind: it must not end the program that follows the others."""
    try:
        one = decode(kind, data)
    except msgspec.ValidationError as error:
        log.error("an object of %s cannot be read and is left out: %s", row.qualified, error)
        return None
    complete(one, row)
    return one


def complete(item: Any, row: Resource) -> None:
    """Say of a view what it is, where the server left it out; a view without these fields (metadata alone) stays as it is."""
    if getattr(item, "kind", "") is None:
        item.apiVersion, item.kind = row.api_version, row.kind
