"""Objects over HTTP: create, read, update, delete, their refusals, and what the server writes itself."""

import asyncio
import io
import re
from typing import Any

import aiohttp
import orjson
import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import RESOURCES, resource_for
from kube.api.status import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    UnsupportedMediaType,
)
from kube.client.rest import Client
from tests.component.conftest import ADMIN_TOKEN, RunningApi

CONFIG_MAP = resource_for("", "v1", "configmaps")
DEPLOYMENT = resource_for("apps", "v1", "deployments")
PATH = "/api/v1/namespaces/default/configmaps"
JSON = {"Content-Type": "application/json"}


def a_config_map(name: str = "a", **data: str) -> Tree:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


def a_deployment(name: str = "web") -> Tree:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def refused(error: type[ApiError], text: str) -> Any:
    return pytest.raises(error, match=re.escape(text))


def test_the_server_fills_what_only_it_may_write(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/ (E.2: create)"""

    async def scenario() -> None:
        tree = a_deployment()
        tree["metadata"] |= {"uid": "mine", "generation": 7, "creationTimestamp": "2001-01-01T00:00:00Z"}
        tree["status"] = {"replicas": 9}
        created = await client.create(DEPLOYMENT, tree)
        metadata = created["metadata"]
        assert metadata["uid"] != "mine"
        assert metadata["generation"] == 1
        assert metadata["creationTimestamp"] > "2020"
        assert "replicas" not in created.get("status", {})
        assert metadata["managedFields"][0]["manager"].startswith("test")

    runner.run(scenario())


def test_refusals_have_upstreams_words(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apimachinery pkg/api/errors/errors.go"""

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map())
        with refused(AlreadyExists, 'configmaps "a" already exists'):
            await client.create(CONFIG_MAP, a_config_map())
        with refused(NotFound, 'configmaps "b" not found'):
            await client.get_tree(CONFIG_MAP, "default", "b")
        with refused(NotFound, "the server could not find the requested resource"):
            await client.request("GET", "/api/v1/namespaces/default/nonsense")
        with refused(BadRequest, "the name of the object (b) does not match the name on the URL (a)"):
            await client.request("PUT", f"{PATH}/a", body=a_config_map("b"))
        with refused(BadRequest, "the namespace of the provided object does not match the namespace sent on the request"):
            await client.request("POST", PATH, body=a_config_map("c") | {"metadata": {"name": "c", "namespace": "other"}})
        with refused(UnsupportedMediaType, "the body of the request was in an unknown format"):
            await client.request("POST", PATH, body=b"x", headers={"Content-Type": "application/cbor"})
        with refused(NotAcceptable, "only the following media types are accepted: application/json, application/yaml"):
            await client.request("GET", f"{PATH}/a", headers={"Accept": "application/vnd.kubernetes.protobuf"})
        with pytest.raises(MethodNotAllowed):
            await client.request("PUT", PATH, body=a_config_map())
        with pytest.raises(Invalid, match="a lowercase RFC 1123 subdomain must consist of"):
            await client.create(CONFIG_MAP, a_config_map("Not_A_Name"))
        with refused(Invalid, "metadata.name: Required value: name or generateName is required"):
            await client.request("POST", PATH, body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})

    runner.run(scenario())


def test_a_body_has_a_limit(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **JSON}
        body = io.BytesIO(b"x" * (3 * 1024 * 1024 + 1))
        async with aiohttp.ClientSession() as session, session.post(apiserver.url + PATH, data=body, headers=headers) as answer:
            status = await answer.json()
        assert (status["code"], status["message"]) == (413, "Request entity too large: limit is 3145728")

    runner.run(scenario())


def test_a_generated_name_has_five_safe_characters(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        tree = a_config_map()
        tree["metadata"] = {"generateName": "job-", "namespace": "default"}
        created = await client.create(CONFIG_MAP, tree, namespace="default")
        assert re.fullmatch("job-[bcdfghjklmnpqrstvwxz2456789]{5}", created["metadata"]["name"])

    runner.run(scenario())


def test_a_stale_update_is_a_conflict_and_one_without_version_overwrites(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#updates-to-existing-resources"""

    async def scenario() -> None:
        first = await client.create(CONFIG_MAP, a_config_map(a="1"))
        second = await client.update(CONFIG_MAP, first | {"data": {"a": "2"}})
        text = 'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes'
        with refused(Conflict, text):
            await client.update(CONFIG_MAP, first | {"data": {"a": "3"}})
        third = await client.update(CONFIG_MAP, a_config_map(a="4"))
        assert int(third["metadata"]["resourceVersion"]) > int(second["metadata"]["resourceVersion"])
        with pytest.raises(NotFound):
            await client.update(CONFIG_MAP, a_config_map("missing"))

    runner.run(scenario())


def test_nothing_changed_means_nothing_written(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        created = await client.create(CONFIG_MAP, a_config_map(a="1"))
        for again in (created, a_config_map(a="1")):
            same = await client.update(CONFIG_MAP, again)
            assert same["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]
        patched = await client.patch(CONFIG_MAP, Key("default", "a"), {"data": {"a": "1"}})
        assert patched["metadata"] == created["metadata"]
        emptied = await client.patch(CONFIG_MAP, Key("default", "a"), {"metadata": {"annotations": {}, "labels": {"a": None}}})
        assert emptied["metadata"] == created["metadata"]

    runner.run(scenario())


def test_status_and_the_rest_are_written_apart(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#spec-and-status"""

    async def scenario() -> None:
        key = Key("default", "web")
        created = await client.create(DEPLOYMENT, a_deployment())
        both = {"spec": {"replicas": 5}, "status": {"replicas": 3, "observedGeneration": 1}}
        through_status = await client.patch(DEPLOYMENT, key, both, subresource="status")
        assert through_status["spec"]["replicas"] == 1
        assert through_status["status"]["replicas"] == 3
        assert through_status["metadata"]["generation"] == 1
        through_main = await client.patch(DEPLOYMENT, key, {"spec": {"replicas": 2}, "status": {"replicas": 9}})
        assert through_main["spec"]["replicas"] == 2
        assert through_main["status"]["replicas"] == 3
        assert through_main["metadata"]["generation"] == 2
        labelled = await client.patch(DEPLOYMENT, key, {"metadata": {"labels": {"a": "b"}}})
        assert labelled["metadata"]["generation"] == 2
        noted = await client.patch(DEPLOYMENT, key, {"metadata": {"annotations": {"a": "b"}}})
        assert noted["metadata"]["generation"] == 3, "its ReplicaSets carry its annotations"
        revised = await client.patch(DEPLOYMENT, key, {"metadata": {"annotations": {"a": "c"}}}, subresource="status")
        assert (revised["metadata"]["generation"], revised["metadata"]["annotations"]) == (3, {"a": "c"})
        subresources = {one.get("subresource", "") for one in labelled["metadata"]["managedFields"]}
        assert subresources == {"", "status"}
        assert created["metadata"]["uid"] == labelled["metadata"]["uid"]

    runner.run(scenario())


def test_scale_is_the_same_for_every_kind(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await client.create(DEPLOYMENT, a_deployment())
        path = "/apis/apps/v1/namespaces/default/deployments/web/scale"
        scale = (await client.request("GET", path)).tree()
        assert scale["kind"] == "Scale"
        assert scale["status"] == {"replicas": 0, "selector": "app=web"}
        scale["spec"]["replicas"] = 4
        assert (await client.request("PUT", path, body=scale)).tree()["spec"] == {"replicas": 4}
        deployment = await client.get_tree(DEPLOYMENT, "default", "web")
        assert deployment["spec"]["replicas"] == 4
        assert deployment["metadata"]["generation"] == 2
        with pytest.raises(Conflict):
            await client.request("PUT", path, body=scale)
        merge = {"Content-Type": "application/merge-patch+json"}
        patched = await client.request("PATCH", path, body={"spec": {"replicas": 0}}, headers=merge)
        assert patched.tree()["spec"] == {}

    runner.run(scenario())


def test_a_dry_run_answers_as_if_and_stores_nothing(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        params = {"dryRun": "All"}
        created = await client.create(CONFIG_MAP, a_config_map(), params=params)
        assert created["metadata"]["uid"]
        with pytest.raises(NotFound):
            await client.get_tree(CONFIG_MAP, "default", "a")
        real = await client.create(CONFIG_MAP, a_config_map(a="1"))
        changed = await client.update(CONFIG_MAP, a_config_map(a="2"), params=params)
        assert changed["data"] == {"a": "2"}
        await client.request("DELETE", f"{PATH}/a", params=params)
        assert await client.get_tree(CONFIG_MAP, "default", "a") == real
        with pytest.raises(Invalid, match=r'dryRun: Unsupported value: \[\]string\{"Some"\}'):
            await client.create(CONFIG_MAP, a_config_map("b"), params={"dryRun": "Some"})

    runner.run(scenario())


def test_unknown_and_duplicate_fields_warn_or_refuse(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation"""

    async def scenario() -> None:
        body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","a":"2"},"colour":"red"}'
        answer = await client.request("POST", PATH, body=body, headers=JSON)
        warnings = [value for name, value in answer.headers.items() if name.lower() == "warning"]
        assert warnings == ['299 - "duplicate field \\"data.a\\""', '299 - "unknown field \\"colour\\""']
        assert "colour" not in answer.tree()
        with refused(BadRequest, 'strict decoding error: duplicate field "data.a", unknown field "colour"'):
            await client.request("POST", PATH, params={"fieldValidation": "Strict"}, body=body, headers=JSON)
        silent = await client.request(
            "POST", PATH, params={"fieldValidation": "Ignore"}, body=body.replace(b'"a"}', b'"b"}'), headers=JSON
        )
        assert "Warning" not in silent.headers
        wrong = a_deployment() | {"spec": a_deployment()["spec"] | {"replicas": "many"}}
        with refused(BadRequest, 'Deployment in version "v1" cannot be handled as a Deployment'):
            await client.request("POST", "/apis/apps/v1/namespaces/default/deployments", body=wrong)

    runner.run(scenario())


def test_yaml_goes_in_and_out(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, c: 'yes'}\n"
        await client.request("POST", PATH, body=yaml, headers={"Content-Type": "application/yaml"})
        answer = await client.request("GET", f"{PATH}/a", headers={"Accept": "application/yaml"})
        assert answer.headers["Content-Type"] == "application/yaml"
        assert b'data:\n  a: b\n  c: "yes"\n' in answer.body, "as go-yaml quotes"
        listed = await client.request("GET", PATH, headers={"Accept": "application/yaml"})
        assert listed.body.startswith(b"apiVersion: v1\nitems:\n- data:\n")

    runner.run(scenario())


def test_a_deleted_object_is_told_by_a_status_and_one_that_waits_by_itself(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        created = await client.create(CONFIG_MAP, a_config_map())
        gone = (await client.request("DELETE", f"{PATH}/a")).tree()
        assert gone["status"] == "Success"
        assert gone["details"] == {"name": "a", "kind": "configmaps", "uid": created["metadata"]["uid"]}
        held = a_config_map()
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await client.create(CONFIG_MAP, held)
        waiting = await client.delete(CONFIG_MAP, Key("default", "a"))
        assert waiting["kind"] == "ConfigMap"
        assert waiting["metadata"]["deletionTimestamp"]
        with refused(AlreadyExists, 'object is being deleted: configmaps "a" already exists'):
            await client.create(CONFIG_MAP, a_config_map())
        more = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
        with pytest.raises(Invalid, match="no new finalizers can be added if the object is being deleted"):
            await client.patch(CONFIG_MAP, Key("default", "a"), more)
        await client.patch(CONFIG_MAP, Key("default", "a"), {"metadata": {"finalizers": None}})
        with pytest.raises(NotFound):
            await client.get_tree(CONFIG_MAP, "default", "a")

    runner.run(scenario())


def test_delete_collection_honours_selectors(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
            tree = a_config_map(name)
            tree["metadata"]["labels"] = {"color": color}
            await client.create(CONFIG_MAP, tree)
        deleted = (await client.request("DELETE", PATH, params={"labelSelector": "color=red"})).tree()
        assert [item["metadata"]["name"] for item in deleted["items"]] == ["a", "c"]
        left = await client.list_tree(CONFIG_MAP, "default", params={"labelSelector": "color"})
        assert [item["metadata"]["name"] for item in left["items"]] == ["b"]

    runner.run(scenario())


def test_every_kind_can_be_listed(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        for row in RESOURCES:
            if "list" not in row.verbs:
                continue
            answer = (await client.request("GET", row.path())).tree()
            assert answer["kind"] == f"{row.kind}List", row
            assert answer["apiVersion"] == row.api_version

    runner.run(scenario())


def test_a_list_can_be_chunked_sorted_and_selected(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        for i in range(7):
            await client.create(CONFIG_MAP, a_config_map(f"m{i}"))
        names: list[str] = []
        params: dict[str, Any] = {"limit": 3, "fieldSelector": "metadata.name!=m4"}
        token, pages = "", 0
        while pages == 0 or token:
            page = await client.list_tree(CONFIG_MAP, "default", params=params | ({"continue": token} if token else {}))
            names += [item["metadata"]["name"] for item in page["items"]]
            assert "remainingItemCount" not in page["metadata"]
            token, pages = page["metadata"].get("continue", ""), pages + 1
        assert [name for name in names if name.startswith("m")] == ["m0", "m1", "m2", "m3", "m5", "m6"]
        first = await client.list_tree(CONFIG_MAP, "default", params={"limit": 2})
        everything = await client.list_tree(CONFIG_MAP, "default")
        assert first["metadata"]["remainingItemCount"] == len(everything["items"]) - 2
        for unreadable in ({"labelSelector": "a=("}, {"fieldSelector": "spec.x=1"}, {"resourceVersion": "x"}):
            with pytest.raises(BadRequest):
                await client.list_tree(CONFIG_MAP, "default", params=unreadable)
        with pytest.raises(Invalid, match="resourceVersionMatch is forbidden unless resourceVersion is provided"):
            await client.list_tree(CONFIG_MAP, "default", params={"resourceVersionMatch": "Exact"})

    runner.run(scenario())


def test_tables_and_metadata_are_made_on_the_server(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables"""

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map(a="1"))
        as_table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        made = await client.list_tree(CONFIG_MAP, "default", accept=as_table)
        assert made["kind"] == "Table"
        assert made["columnDefinitions"][0]["name"] == "Name"
        row = next(row for row in made["rows"] if row["cells"][0] == "a")
        assert row["object"]["kind"] == "PartialObjectMetadata"
        as_metadata = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        partial = await client.list_tree(CONFIG_MAP, "default", accept=as_metadata)
        assert partial["kind"] == "PartialObjectMetadataList"
        assert all("data" not in item for item in partial["items"])

    runner.run(scenario())


def test_large_lists_are_compressed_for_those_who_accept(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        for i in range(3):
            await client.create(CONFIG_MAP, a_config_map(f"big{i}", a="x" * 100_000))
        packed = await client.request("GET", PATH, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        plain = await client.request("GET", PATH, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert orjson.loads(plain.body)["items"] == packed.tree()["items"]

    runner.run(scenario())
