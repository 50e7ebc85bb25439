"""Upstream's folder: its discovery documents, OpenAPI documents and sample objects, of the stable groups alone."""

import gzip
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

UNSTABLE = re.compile(r"v\d+(alpha|beta)\d+|(^|[./])(internal\.apiserver|storagemigration)\.")
UNSERVED_OBJECTS = ("admission.k8s.io", "imagepolicy.k8s.io", "apidiscovery.k8s.io")  # bodies of webhooks and documents


class Folder:
    """What is in it, read when asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def legacy_discovery(self) -> Iterator[tuple[str, Any]]:
        """(path, document): /api/v1, /apis/apps, ..."""
        for file in sorted((self._path / "discovery").glob("*.json")):
            path = "/" + file.stem.replace("__", "/")
            if file.stem != "aggregated_v2" and not UNSTABLE.search(path):
                yield path, self._stable_discovery(orjson.loads(file.read_bytes()))

    @cached_property
    def aggregated(self) -> Any:
        """The APIGroupDiscoveryList of /apis."""
        tree = orjson.loads((self._path / "discovery" / "aggregated_v2.json").read_bytes())
        for item in tree["items"]:
            item["versions"] = [one for one in item["versions"] if not UNSTABLE.search(one["version"])]
        return {
            **tree,
            "items": [one for one in tree["items"] if one["versions"] and not UNSTABLE.search(one["metadata"]["name"] + ".")],
        }

    def openapi_3(self) -> Iterator[tuple[str, Any]]:
        """(path below /openapi/v3, document) of each stable group version and group."""
        for file in sorted((self._path / "openapi-v3").glob("*_openapi.json.gz")):
            path = file.name.removesuffix("_openapi.json.gz").replace("__", "/")
            if not UNSTABLE.search(path) and path != "logs":
                yield path, orjson.loads(gzip.decompress(file.read_bytes()))

    @cached_property
    def openapi_2(self) -> Any:
        """The Swagger document, parameters put where they are used."""
        tree = orjson.loads(gzip.decompress((self._path / "swagger.json.gz").read_bytes()))
        shared = tree.pop("parameters", {})
        paths = {path: _resolved(item, shared) for path, item in tree["paths"].items() if not UNSTABLE.search(path)}
        definitions = {name: one for name, one in tree["definitions"].items() if not UNSTABLE.search(name)}
        return {**tree, "paths": paths, "definitions": definitions}

    def objects(self) -> Iterator[Any]:
        """A sample of every kind."""
        for file in sorted((self._path / "objects").glob("*.json")):
            if not UNSTABLE.search(file.name) and not file.name.startswith(UNSERVED_OBJECTS):
                tree = orjson.loads(file.read_bytes())
                if "metadata" in tree:
                    yield tree

    def _stable_discovery(self, tree: Any) -> Any:
        if tree.get("kind") == "APIGroupList":
            groups = [self._stable_discovery(group) for group in tree["groups"] if not UNSTABLE.search(group["name"] + ".")]
            return {**tree, "groups": [group for group in groups if group["versions"]]}
        if "versions" in tree and isinstance(tree["versions"][0], dict):
            return {**tree, "versions": [one for one in tree["versions"] if not UNSTABLE.search(one["version"])]}
        return tree


def _resolved(node: Any, shared: Any) -> Any:
    if isinstance(node, list):
        return [_resolved(one, shared) for one in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/parameters/"):
        return shared[reference.removeprefix("#/parameters/")]
    return {name: _resolved(one, shared) for name, one in node.items()}
