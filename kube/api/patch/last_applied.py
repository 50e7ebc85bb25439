"""Last applied: what the server does for those who go from `kubectl apply` to `kubectl apply --server-side`, and back.

The annotation of client-side apply holds the configuration as it was applied last. For the field manager `kubectl` alone (any
other name opts out):

    conflicts    over fields that the annotation has, and that still stand in the object as it says, are none: it was the same user
    annotation   where there is one, it becomes the configuration that is applied now, so that client-side apply can go on from it

KEP-555 · apimachinery pkg/util/managedfields/internal/lastappliedmanager.go, lastappliedupdater.go
"""

import orjson

from kube.api.definitions import Type
from kube.api.meta import Tree
from kube.api.metadata import ANNOTATIONS_BYTES
from kube.api.patch import structured
from kube.api.patch.field_set import FieldSet

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"
GO_ESCAPES = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"})


def of(tree: Tree) -> str:
    return str((tree["metadata"].get("annotations") or {}).get(ANNOTATION) or "")


def unchanged_since(kind: Type, live: Tree, api_version: str) -> FieldSet:
    """The fields that client-side apply set and nobody changed; none where the annotation is not there or cannot be read."""
    try:
        last = orjson.loads(of(live))
    except orjson.JSONDecodeError:
        return FieldSet()
    if not isinstance(last, dict) or last.get("apiVersion") != api_version or any(structured.faults(kind, last)):
        return FieldSet()
    found = structured.compare(kind, last, live)
    return structured.fields_of(kind, last) - found.modified - found.added - found.removed


def brought_up_to_date(tree: Tree, applied: Tree) -> None:
    """Write into the object what is applied to it, if it has the annotation; one that is too long for it goes."""
    if not of(tree):
        return
    annotations: Tree = {**tree["metadata"]["annotations"], ANNOTATION: _written(applied)}
    if sum(len(text.encode()) for pair in annotations.items() for text in pair) > ANNOTATIONS_BYTES:
        del annotations[ANNOTATION]
    tree["metadata"] = {**tree["metadata"], "annotations": annotations}


def _written(applied: Tree) -> str:
    """As Go writes it: sorted, a line, its marks of HTML escaped."""
    metadata = applied["metadata"]
    if ANNOTATION in (metadata.get("annotations") or {}):
        kept = {name: text for name, text in metadata["annotations"].items() if name != ANNOTATION}
        applied = {**applied, "metadata": {**metadata, "annotations": kept}}
    return orjson.dumps(applied, option=orjson.OPT_SORT_KEYS).decode().translate(GO_ESCAPES) + "\n"
