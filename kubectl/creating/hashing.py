"""The hash that --append-hash and a kustomization's generators put behind a name: another for other content, else the same.

SHA-256 of the object's kind, name, type and data as JSON; its first ten hexadecimal digits, with letters that spell nothing.
kubernetes/kubectl pkg/util/hash, kubernetes-sigs/kustomize api/hasher
"""

import hashlib
import json

from kube.api.meta import Tree
from kubectl.printers.jsonpath import escape_html

LENGTH = 10
LETTERS = str.maketrans("013ae", "ghkmt")


def content_hash(tree: Tree, name: str, *, empty: Tree | str) -> str:
    """Of a ConfigMap or Secret that is called `name` (kustomize: not yet). `empty`: what stands for missing data."""
    encoded: Tree = {"kind": tree["kind"], "name": name, "data": tree.get("data") or empty}
    if tree["kind"] == "Secret":
        encoded["type"] = tree.get("type", "")
        if tree.get("stringData"):
            encoded["stringData"] = tree["stringData"]
    elif tree.get("binaryData"):
        encoded["binaryData"] = tree["binaryData"]
    text = escape_html(json.dumps(encoded, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH].translate(LETTERS)
