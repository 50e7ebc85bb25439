"""Differences: what was found, what of it is meant to be so and why, and how it is told. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

WIDTH = 70
NOTHING: Any = object()


@dataclass(frozen=True)
class Difference:
    """At one place, what upstream has and what we have."""

    part: str  # discovery, openapi, answers, objects, defaults
    where: str
    upstream: str
    ours: str


# Differences that are meant: a pattern of `part where upstream ours`, and the reason.
MEANT = {
    r"^openapi \S+ (components|definitions|paths) .*(cbor|protobuf)": "answers are JSON or YAML; CBOR is not spoken",
    r"^openapi \S+ paths /logs/": "the logs of the host are nobody's through the API (upstream: --enable-logs-handler, deprecated)",
    r"^openapi \S+ info ": "the version is ours",
    r"^openapi \S+ definitions .*meta\.v1\.GroupResource": "of storagemigration.k8s.io/v1beta1 alone, which is not served",
    r"^openapi \S+ parameters ": "shared parameters of version 2 stand where they are used",
    r"^defaults .*(LocalObjectReference\.name|ReplicationControllerSpec\.minReadySeconds) (''|0) absent": "not written when empty",
    r"^objects \S+ SelfSubjectRulesReview .*spec\.namespace is gone": "upstream's answer has the rules alone, too",
    r"^discovery \S+ serverAddressByClientCIDRs": "the address of the server that wrote the documents",
}


def meant(one: Difference) -> str:
    """Why a difference is meant; empty if it is not."""
    text = f"{one.part} {one.where} {one.upstream} {one.ours}"
    return next((reason for pattern, reason in MEANT.items() if re.search(pattern, text)), "")


def compare(part: str, where: str, upstream: Any, ours: Any) -> Iterator[Difference]:
    """Two documents, field by field; lists of named things by their names and in their order."""
    if isinstance(upstream, dict) and isinstance(ours, dict):
        for name in sorted(upstream.keys() | ours.keys()):
            yield from compare(part, f"{where} {name}", upstream.get(name, NOTHING), ours.get(name, NOTHING))
    elif isinstance(upstream, list) and isinstance(ours, list) and _named(upstream) and _named(ours):
        theirs, mine = {_name(one): one for one in upstream}, {_name(one): one for one in ours}
        yield from compare(part, where, theirs, mine)
        if set(theirs) == set(mine) and list(theirs) != list(mine):
            yield Difference(part, f"{where} (order)", _shown(list(theirs)), _shown(list(mine)))
    elif upstream is NOTHING or ours is NOTHING or upstream != ours:
        yield Difference(part, where, _shown(upstream), _shown(ours))


def table(found: Iterable[Difference]) -> str:
    rows = [("part", "where", "upstream", "ours"), *((one.part, one.where, one.upstream, one.ours) for one in found)]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/").replace("\n", " ")[: WIDTH * 2] for cell in row) + " |" for row in rows
    )


def _named(items: list[Any]) -> bool:
    return all(isinstance(one, dict) and _name(one) for one in items) and len({_name(one) for one in items}) == len(items)


def _name(one: dict[str, Any]) -> str:
    for field in ("name", "resource", "subresource", "groupVersion", "version"):
        if isinstance(one.get(field), str):
            return f"{one[field]}{'@' + one['in'] if 'in' in one else ''}"
    metadata = one.get("metadata")
    return str(metadata.get("name") or "(core)") if isinstance(metadata, dict) else ""


def _shown(value: Any) -> str:
    text = "-" if value is NOTHING else orjson.dumps(value).decode()
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
