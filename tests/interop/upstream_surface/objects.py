"""Objects: every sample of upstream's is created, read, replaced and applied, and nothing of it may be lost or refused.

Its metadata are a name, labels and annotations. What a create drops (the status) and fields that exclude others are not looked at.
"""

from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import resource_for_kind
from kube.api.status import ApiError
from kube.client.rest import APPLY, Client
from tests.interop.upstream_surface.difference import Difference
from tests.interop.upstream_surface.repair import apart, lost, repaired, started
from tests.interop.upstream_surface.upstream import Folder
from tests.interop.upstream_surface.valid_values import BEFORE, NOT_STORED, OWN

TRIES = 40  # of making a sample valid
STRICT = {"fieldValidation": "Strict"}
DRY = {**STRICT, "dryRun": "All"}
MANAGER = "upstream-surface"


async def objects(folder: Folder, client: Client) -> AsyncIterator[Difference]:
    for path, tree in BEFORE:
        await client.request("POST", path, body=tree)
    served = [kind for kind, _, _ in creatable(folder)]
    for sample in folder.objects():
        if sample["kind"] not in NOT_STORED and _kind(sample) not in served:
            yield Difference("objects", _kind(sample), "created", "not served")
    for kind, row, sample in creatable(folder):
        try:
            tree = await valid(client, row, sample)
            for text in [one async for one in _trip(client, row, tree)]:
                yield Difference("objects", kind, "kept", text)
        except ApiError as error:
            yield Difference("objects", kind, "taken", f"{error.code} {error.message}")


def creatable(folder: Folder) -> Iterator[tuple[str, Resource, Tree]]:
    """The samples of what can be created: the kind's full name, its row, the sample."""
    for sample in folder.objects():
        row = resource_for_kind(sample["apiVersion"], sample["kind"])
        if sample["kind"] not in NOT_STORED and row is not None and "create" in row.verbs:
            yield _kind(sample), row, sample


async def valid(client: Client, row: Resource, sample: Tree) -> Tree:
    """A sample repaired until a dry run takes it; raises the last complaint."""
    tree, own = _named(row, sample), OWN.get(row.kind, {})
    apart(tree)
    started(tree, own)
    namespace = tree["metadata"].get("namespace", "")
    for left in reversed(range(TRIES)):
        try:
            await client.request("POST", row.path(namespace), params=DRY, body=tree)
        except ApiError as error:
            causes = (error.details or {}).get("causes") or []
            if left == 0 or not repaired(tree, causes, own):
                raise
            if "metadata" not in tree:  # a review's must be empty, but for the namespace
                tree["metadata"] = {"namespace": namespace} if namespace else {}
        else:
            break
    return tree


async def _trip(client: Client, row: Resource, tree: Tree) -> AsyncIterator[str]:
    """What is lost on the way."""
    namespace = tree["metadata"].get("namespace", "")
    made = (await client.request("POST", row.path(namespace), params=STRICT, body=tree)).tree()
    if "get" not in row.verbs:  # a review: answered, not stored
        for text in lost({"spec": tree["spec"]} if "spec" in tree else {}, made):
            yield f"create: {text}"
        return
    name, sent = made["metadata"]["name"], {field: value for field, value in tree.items() if field != "status"}
    path = row.path(namespace, name)
    got = (await client.request("GET", path)).tree()
    for step, answer in (("create", made), ("get", got)):
        for text in lost(sent, answer):
            yield f"{step}: {text}"
    replaced = (await client.request("PUT", path, params=STRICT, body=got)).tree()
    for text in lost(sent, replaced):
        yield f"update: {text}"
    applied = {**sent, "metadata": {**sent["metadata"], "name": name}}
    applied["metadata"].pop("generateName", None)
    params = {**STRICT, "fieldManager": MANAGER, "force": "true"}
    headers = {"Content-Type": APPLY.value}
    after = (await client.request("PATCH", path, params=params, body=applied, headers=headers)).tree()
    for text in lost(applied, after):
        yield f"apply: {text}"
    for text in _unmanaged(sent, after):
        yield f"apply: {text}"
    await client.request("DELETE", path, params={"gracePeriodSeconds": "0"})


def _unmanaged(sent: Tree, after: Tree) -> Iterator[str]:
    """The fields of the first level that the apply does not own."""
    entry: Any = next((one for one in after["metadata"].get("managedFields") or () if one["manager"] == MANAGER), {"fieldsV1": {}})
    for field in sent:
        if field not in ("apiVersion", "kind", "metadata") and f"f:{field}" not in entry["fieldsV1"]:
            yield f".{field} is nobody's"


def _kind(sample: Tree) -> str:
    return f"{sample['apiVersion']} {sample['kind']}"


def _named(row: Resource, sample: Tree) -> Tree:
    tree = deepcopy(sample)
    kept = {field: tree["metadata"][field] for field in ("labels", "annotations")}
    place = {"namespace": "default"} if row.namespaced else {}
    return {**tree, "metadata": {**kept, "name": "sample", **place}}
