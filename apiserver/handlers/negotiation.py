"""Negotiation: in which form the client wants objects, from its Accept header, and in which form it sends them.

Forms: JSON, YAML (one object or a whole list), and JSON transformed on the server: `as=Table`, `as=PartialObjectMetadata`,
`as=PartialObjectMetadataList`. Of several that a client takes it gets the one it likes best. Bodies may be protobuf; answers
never are, and CBOR is neither: clients accept JSON beside them.
https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from apiserver.context import Request
from kube.api.status import NotAcceptable, UnsupportedMediaType

OFFERED = ("application/json", "application/yaml")  # to read
TAKEN = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")  # as bodies
ROUTED = ("*/*", *TAKEN)
TRANSFORMS = {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}


class Form(Enum):
    OBJECT = "object"
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"  # of a list: PartialObjectMetadataList


class Accepted(NamedTuple):
    form: Form
    yaml: bool = False
    kind: str = ""  # of a transformation, as the client calls it
    version: str = "v1"  # of meta.k8s.io, likewise


def accepted(request: Request) -> Accepted:
    """Raises NotAcceptable."""
    return request.once("accepted", lambda one: _accepted(one.headers.get("accept", "")))


def check_router_accepts(request: Request) -> None:
    """Upstream's router looks at Accept before the handlers of built-in kinds do, and knows whole media types and */* alone."""
    header = request.headers.get("accept", "").strip()
    if header and not any(clause.split(";", 1)[0].strip() in ROUTED for clause in header.split(",")):
        raise NotAcceptable("406: Not Acceptable", {})


def content_type(request: Request) -> str:
    """The media type of the body, without parameters; empty where none is said."""
    return request.once("content type", _content_type)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def unsupported(offered: tuple[str, ...] = TAKEN) -> UnsupportedMediaType:
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(offered)}"
    )


@lru_cache(maxsize=256)
def _accepted(header: str) -> Accepted:
    """The first clause that is offered, of those with the highest `q`; wildcards come after types that are named."""
    clauses = [_clause(text) for text in header.split(",")] if header.strip() else [("application/json", {})]
    for media, options in sorted(clauses, key=_rank):
        if media in ("*/*", "application/*", "application/json"):
            form = _form(options)
            if form is not None:
                return Accepted(
                    form, kind=options.get("as", ""), version=options.get("v", "v1") if form is not Form.OBJECT else "v1"
                )
        elif media == "application/yaml" and not options.get("as"):
            return Accepted(Form.OBJECT, yaml=True)
    raise NotAcceptable(f"only the following media types are accepted: {', '.join(OFFERED)}")


def _clause(text: str) -> tuple[str, dict[str, str]]:
    media, *parameters = (part.strip() for part in text.split(";"))
    return media, dict(parameter.partition("=")[::2] for parameter in parameters)


def _rank(clause: tuple[str, dict[str, str]]) -> tuple[float, int]:
    """The best is the least. A `q` that is no number counts as 1."""
    media, options = clause
    quality = options.get("q", "1")
    return -float(quality) if quality.isascii() and quality.replace(".", "", 1).isdecimal() else -1.0, media.count("*")


def _form(options: dict[str, str]) -> Form | None:
    """None: a transformation that is not offered."""
    wanted = options.get("as", "")
    if not wanted:
        return Form.OBJECT
    if wanted not in TRANSFORMS or options.get("g") != "meta.k8s.io" or options.get("v") not in ("v1", "v1beta1"):
        return None
    return Form.TABLE if wanted == "Table" else Form.METADATA
