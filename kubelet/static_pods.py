"""Static pods: pods of manifest files in a directory of the node, which run with or without an API server.

A file is one Pod, YAML or JSON; names that begin with a dot are not read. The pod's name gets the node's as a suffix, its uid
is a hash of the node and the manifest: a changed file is another pod. A file that cannot be read as a pod is told in the log,
and its last good form goes on.
https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/ · upstream pkg/kubelet/config/common.go applyDefaults
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import orjson
import yaml

from kube.api.meta import Tree
from kube.api.resources import resource_of
from kube.api.types import Pod
from kube.api.views import view
from kube.component.logging import get_logger
from kubelet.inotify import ENTRIES, Changes
from kubelet.pod_state import HASH, SOURCE

log = get_logger("kubelet.static_pods")

SEEN = "kubernetes.io/config.seen"
DEFAULT_NAMESPACE = "default"


class NotAPod(Exception):
    """A manifest that is no pod, and why."""


def static_pod(text: bytes, node_name: str, source: str, seen: datetime) -> Pod:
    """The pod of a manifest. Pure. Raises NotAPod."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NotAPod(f"cannot be parsed: {error}") from error
    if not isinstance(tree, dict) or tree.get("kind") != "Pod" or tree.get("apiVersion") != "v1":
        raise NotAPod("it is no v1 Pod")
    try:
        view(Pod, tree)  # what follows may rely on the types of its fields
    except msgspec.ValidationError as error:
        raise NotAPod(f"it is not valid: {error}") from error
    if not (tree.get("metadata") or {}).get("name") or not (tree.get("spec") or {}).get("containers"):
        raise NotAPod("it has no name or no containers")
    _identify(tree, node_name, source, seen)
    resource_of(Pod).set_defaults(tree)
    return view(Pod, tree)


def _identify(tree: Tree, node_name: str, source: str, seen: datetime) -> None:
    metadata, spec = tree["metadata"], tree["spec"]
    manifest = orjson.dumps(tree, default=str, option=orjson.OPT_NON_STR_KEYS)  # YAML may have numbers for names
    uid = metadata.get("uid") or hashlib.md5(node_name.encode() + manifest).hexdigest()
    metadata["uid"] = uid
    metadata["name"] = f"{metadata['name']}-{node_name}"
    metadata.setdefault("namespace", DEFAULT_NAMESPACE)
    marks = {HASH: uid, SEEN: seen.isoformat(), SOURCE: source}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **marks}
    spec["nodeName"] = node_name
    spec["tolerations"] = [*(spec.get("tolerations") or ()), {"operator": "Exists", "effect": "NoExecute"}]
    tree["status"] = {"phase": "Pending"}


class StaticPods:
    """Follows a directory."""

    def __init__(self, directory: Path, node_name: str, on_pods: Callable[[dict[str, Pod]], None]) -> None:
        self._directory = directory
        self._node_name = node_name
        self._on_pods = on_pods  # is told all static pods, by uid, whenever there may be a change
        self._good: dict[Path, tuple[bytes, Pod]] = {}

    async def run(self) -> None:
        async with Changes() as changes:
            while True:
                self._directory.mkdir(parents=True, exist_ok=True)  # someone may remove it, and its watch with it
                changes.watch(self._directory, ENTRIES)
                self._on_pods(await asyncio.to_thread(self._read))
                await changes.next()

    def _read(self) -> dict[str, Pod]:
        good: dict[Path, tuple[bytes, Pod]] = {}
        for path in sorted(self._directory.glob("*")):  # none, where the directory is being removed
            if path.name.startswith(".") or not path.is_file():
                continue
            known = self._good.get(path)
            try:
                text = path.read_bytes()
                good[path] = known if known is not None and known[0] == text else (text, self._parse(text))
            except (NotAPod, OSError) as error:
                log.error("could not process manifest file", path=path, reason=error)
                if known is not None:
                    good[path] = known
        self._good = good
        return {pod.metadata.uid: pod for _, pod in good.values()}

    def _parse(self, text: bytes) -> Pod:
        return static_pod(text, self._node_name, "file", datetime.now(UTC))
