"""Every verb on every kind: what docs/compat.md says of each row of the table of kinds is shown here, on one least object of each.

The objects are in `samples.yaml`; two kinds need a value that is made: a certificate request, and a definition whose name is its
resource's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from kube.api.meta import Tree
from kube.api.resource import VERBS, Resource
from kube.api.resources import RESOURCES, resource_for, resource_for_kind
from kube.api.status import NotFound
from kube.client.rest import Client, PatchType
from tests.certificate_request import encoded_request
from tests.component.apiserver_crd.crds import definition, schema

NAME, LABEL = "sample", "example.com/of"
NOTE = "example.com/note"
NAMESPACE = "default"
WATCH_SECONDS = 20
ACCOUNT = resource_for("", "v1", "serviceaccounts")
NOT_BY_COLLECTION = {"Namespace"}  # as upstream: namespaces go one by one
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
MADE_NAMES = {
    "IPAddress": "10.96.7.7",
    "CustomResourceDefinition": "kettles.example.com",
    "APIService": "v1.example.com",
    "CSIDriver": "sample.example.com",
}


def samples() -> Iterator[Tree]:
    yield from yaml.safe_load_all((Path(__file__).parent / "samples.yaml").read_text())
    yield {
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "spec": {"request": encoded_request("sample"), "signerName": "example.com/a", "usages": ["client auth"]},
    }  # fmt: skip
    yield definition("kettles", "example.com", schema(litres={"type": "integer"}))
    yield {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "spec": {
            "group": "example.com", "version": "v1", "groupPriorityMinimum": 9, "versionPriority": 9,
            "insecureSkipTLSVerify": True, "service": {"namespace": "default", "name": "a"},
        },
    }  # fmt: skip


SAMPLES: dict[tuple[str, str], Tree] = {(one["apiVersion"], one["kind"]): one for one in samples()}


def sample(row: Resource) -> Tree:
    tree = deepcopy(SAMPLES[row.api_version, row.kind])
    metadata: Tree = {"name": MADE_NAMES.get(row.kind, NAME), "labels": {LABEL: "sample"}}
    return {**tree, "metadata": {**metadata, "namespace": NAMESPACE} if row.namespaced else metadata}


STORED = [row for row in RESOURCES if "create" in row.verbs and "get" in row.verbs]


def test_each_stored_kind_has_a_sample() -> None:
    assert {(row.api_version, row.kind) for row in STORED} == set(SAMPLES)


def test_each_stored_kind_has_every_verb() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-operations"""
    for row in STORED:
        missing = set(VERBS) - set(row.verbs)
        assert missing == ({"deletecollection"} if row.kind in NOT_BY_COLLECTION else set()), row


@pytest.mark.parametrize("row", STORED, ids=lambda row: f"{row.api_version}/{row.kind}")
def test_every_verb_does_what_it_says(runner: asyncio.Runner, client: Client, row: Resource) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/"""

    async def scenario() -> None:
        async with asyncio.timeout(WATCH_SECONDS):
            await client.create(ACCOUNT, {"metadata": {"name": "default", "namespace": NAMESPACE}})  # pods run as it
            await _life(client, row)

    runner.run(scenario())


async def _life(client: Client, row: Resource) -> None:
    namespace = NAMESPACE if row.namespaced else ""
    tree = sample(row)
    place, path = row.path(namespace), row.path(namespace, tree["metadata"]["name"])
    dry = (await client.request("POST", place, params={"dryRun": "All"}, body=tree)).tree()
    assert dry["metadata"]["uid"]
    with pytest.raises(NotFound):
        await client.request("GET", path)
    async with _watched(client, place) as events:
        made = (await client.request("POST", place, params={"fieldValidation": "Strict"}, body=tree)).tree()
        seen = await anext(events)
        assert (seen["type"], seen["object"]["metadata"]["uid"]) == ("ADDED", made["metadata"]["uid"])
        assert (seen["object"]["apiVersion"], seen["object"]["kind"]) == (row.api_version, row.kind)
        await _reads(client, row, place, path)
        for note in [note async for note in _writes(client, row, path)]:
            while (seen := await anext(events))["object"]["metadata"].get("annotations", {}).get(NOTE) != note:
                assert seen["type"] == "MODIFIED"  # a controller's
        await _subresources(client, row, path)
        if made["metadata"].get("finalizers"):  # volumes and claims wait for who uses them, which a controller looks after
            free: Tree = {"metadata": {"finalizers": None}}
            await client.request("PATCH", path, body=free, headers={"Content-Type": PatchType.MERGE.value})
        await client.request("DELETE", path, params={"gracePeriodSeconds": "0", "propagationPolicy": "Background"})
        if row.kind == "Namespace":  # goes when its content has gone, which is for the namespace controller to say
            assert (await client.request("GET", path)).tree()["status"]["phase"] == "Terminating"
            return
        while (seen := await anext(events))["type"] != "DELETED":
            assert seen["type"] == "MODIFIED"
    with pytest.raises(NotFound):
        await client.request("GET", path)
    again = (await client.request("POST", place, body=sample(row))).tree()
    assert again["metadata"]["uid"] != made["metadata"]["uid"]
    await client.request("DELETE", place, params={"labelSelector": f"{LABEL}=sample", "gracePeriodSeconds": "0"})


async def _reads(client: Client, row: Resource, place: str, path: str) -> None:
    """Alone, in a list, as a row of a table, as metadata only."""
    name = path.rpartition("/")[2]
    assert (await client.request("GET", path)).tree()["metadata"]["name"] == name
    listed = (await client.request("GET", place, params={"fieldSelector": f"metadata.name={name}"})).tree()
    assert [item["metadata"]["name"] for item in listed["items"]] == [name]
    assert (listed["apiVersion"], listed["kind"]) == (row.api_version, row.list_kind)
    table = (await client.request("GET", path, headers={"Accept": TABLE})).tree()
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])
    assert name in table["rows"][0]["cells"]
    metadata = (await client.request("GET", path, headers={"Accept": METADATA})).tree()
    assert (metadata["kind"], metadata["metadata"]["name"]) == ("PartialObjectMetadata", name)
    assert "spec" not in metadata


async def _writes(client: Client, row: Resource, path: str) -> AsyncIterator[str]:
    """An update and the four patches, each leaving a note."""
    current = (await client.request("GET", path)).tree()
    current["metadata"]["annotations"] = {**current["metadata"].get("annotations", {}), NOTE: "update"}
    answer = (await client.request("PUT", path, body=current)).tree()
    assert answer["metadata"]["annotations"][NOTE] == "update"
    yield "update"
    noted: Tree = {"metadata": {"annotations": {NOTE: ""}}}
    at = "/metadata/annotations/" + NOTE.replace("/", "~1")
    apply = {field: value for field, value in sample(row).items() if field != "stringData"}
    bodies: dict[PatchType, Any] = {
        PatchType.JSON: [{"op": "test", "path": at, "value": "update"}, {"op": "replace", "path": at, "value": ""}],
        PatchType.MERGE: noted,
        PatchType.STRATEGIC: noted,
        PatchType.APPLY: apply,
    }
    for kind, body in bodies.items():
        note, params = kind.name.lower(), {"fieldManager": "test"}
        if kind is PatchType.JSON:
            body[1]["value"] = note
        else:
            body["metadata"]["annotations"] = {NOTE: note}
        if kind is PatchType.APPLY:
            params["force"] = "true"
        answer = (
            await client.request("PATCH", path, params=params, body=orjson.dumps(body), headers={"Content-Type": kind.value})
        ).tree()
        assert answer["metadata"]["annotations"][NOTE] == note
        yield note
    operations = {(entry["manager"], entry["operation"]) for entry in answer["metadata"]["managedFields"]}
    assert ("test", "Apply") in operations


async def _subresources(client: Client, row: Resource, path: str) -> None:
    """Status is read and replaced; scale is read and set."""
    if "status" in row.subresources:
        current = (await client.request("GET", f"{path}/status")).tree()
        assert (await client.request("PUT", f"{path}/status", body=current)).tree()["kind"] == row.kind
    if "scale" in row.subresources:
        scale = (await client.request("GET", f"{path}/scale")).tree()
        assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
        scale["spec"]["replicas"] = 4
        assert (await client.request("PUT", f"{path}/scale", body=scale)).tree()["spec"]["replicas"] == 4
        assert (await client.request("GET", path)).tree()["spec"]["replicas"] == 4


@asynccontextmanager
async def _watched(client: Client, place: str) -> AsyncIterator[AsyncIterator[Tree]]:
    """What happens to the samples, from now on."""
    version = (await client.request("GET", place, params={"limit": 1})).tree()["metadata"]["resourceVersion"]
    params = {"watch": "1", "resourceVersion": version, "labelSelector": f"{LABEL}=sample", "timeoutSeconds": WATCH_SECONDS}
    async with client.stream("GET", place, params=params) as stream:
        lines = stream.iter_lines()

        async def events() -> AsyncGenerator[Tree, None]:
            async for line in lines:
                yield orjson.loads(line)

        one = events()
        try:
            yield one
        finally:
            await one.aclose()
            await lines.aclose()


def test_the_rows_of_the_table_know_their_kinds() -> None:
    assert all(resource_for_kind(row.api_version, row.kind) is row for row in RESOURCES)
