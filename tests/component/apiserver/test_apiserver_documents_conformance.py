"""What the official suite asks of discovery, the version, chunks of lists and tables."""

import asyncio
from typing import Any

import orjson
import pytest

from apiserver.storage.etcd import Etcd
from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.client.discovery import AGGREGATED
from kube.client.rest import Client
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import RunningApi
from tests.component.etcd_member import EtcdMember

PATH = "/api/v1/namespaces/default/podtemplates"
NUMBER, CHUNK = 400, 17
BUILT_IN = (  # of which the suite asks whether discovery has them
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    ("apps", "v1", "deployments"),
    ("apps", "v1", "statefulsets"),
    ("authentication.k8s.io", "v1", "tokenreviews"),
    ("batch", "v1", "jobs"),
    ("coordination.k8s.io", "v1", "leases"),
    ("discovery.k8s.io", "v1", "endpointslices"),
    ("events.k8s.io", "v1", "events"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("node.k8s.io", "v1", "runtimeclasses"),
    ("policy", "v1", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "v1", "priorityclasses"),
)


def test_aggregated_discovery_has_every_built_in_kind(runner: asyncio.Runner, client: Client) -> None:
    """As a client reads it: /api and /apis, each in one document.

    Rule: KEP-3352
    Conformance: [sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface [Conformance]
    """

    async def scenario() -> None:
        found = _resources(await _got(client, "/apis", AGGREGATED)) | _resources(await _got(client, "/api", AGGREGATED))
        assert {*BUILT_IN, ("", "v1", "namespaces"), ("", "v1", "pods")} <= found

    runner.run(scenario())


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "APIGroupDiscoveryList"),
        ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,application/json", "APIGroupDiscoveryList"),
        ("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json", "APIGroupList"),
        ("application/json", "APIGroupList"),
        ("*/*", "APIGroupList"),
    ],
)
def test_what_is_accepted_decides_between_both_forms_of_discovery(
    runner: asyncio.Runner, client: Client, accept: str, kind: str
) -> None:
    """Rule: KEP-3352; an answer that depends on Accept says so in Vary.

    Conformance: [sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers \
[Conformance]
    """

    async def scenario() -> None:
        answer = await client.request("GET", "/apis", headers={"Accept": accept})
        tree = answer.tree()
        assert tree["kind"] == kind
        assert answer.headers["Vary"] == "Accept"
        if kind == "APIGroupDiscoveryList":
            assert answer.headers["Content-Type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            assert set(BUILT_IN) <= _resources(tree)

    runner.run(scenario())


def test_each_group_leads_to_its_versions_and_resources(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#unaggregated-discovery

    Conformance: [sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]
    """

    async def scenario() -> None:
        built_in = {group: plural for group, _, plural in BUILT_IN}
        groups = (await _got(client, "/apis"))["groups"]
        assert built_in.keys() <= {group["name"] for group in groups}
        for group in groups:
            for version in group["versions"]:
                listed = await _got(client, f"/apis/{version['groupVersion']}")
                assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", version["groupVersion"])
                names = [one["name"] for one in listed["resources"]]
                assert names
                assert len(names) == len(set(names))
        for group, version, plural in BUILT_IN:
            assert plural in [one["name"] for one in (await _got(client, f"/apis/{group}/{version}"))["resources"]]

    runner.run(scenario())


def test_each_group_prefers_one_of_its_versions(runner: asyncio.Runner, client: Client) -> None:
    """The list of groups and the group itself say the same.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#unaggregated-discovery
    Conformance: [sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup [Conformance]
    """

    async def scenario() -> None:
        for told in (await _got(client, "/apis"))["groups"]:
            group = await _got(client, f"/apis/{told['name']}")
            assert (group["kind"], group["name"]) == ("APIGroup", told["name"])
            assert group["preferredVersion"] == told["preferredVersion"]
            assert group["preferredVersion"] in group["versions"]
            version = group["preferredVersion"]
            assert version["groupVersion"] == f"{told['name']}/{version['version']}"

    runner.run(scenario())


def test_a_list_comes_in_chunks_of_one_state(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks

    Conformance: [sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls \
[Conformance]
    """

    async def scenario() -> None:
        await _templates(client)
        found: list[str] = []
        chunk = await _chunk(client)
        version = chunk["metadata"]["resourceVersion"]
        while True:
            found += _names(chunk)
            assert len(chunk["items"]) <= CHUNK
            assert chunk["metadata"]["resourceVersion"] == version
            assert chunk["metadata"].get("remainingItemCount", 0) == NUMBER - len(found)
            if not chunk["metadata"].get("continue"):
                break
            chunk = await _chunk(client, chunk["metadata"]["continue"])
        assert found == [f"template-{number:04}" for number in range(NUMBER)]
        assert _names(await _got(client, PATH)) == found

    runner.run(scenario())


def test_after_a_compaction_a_list_goes_on_from_its_last_key(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, etcd: EtcdMember
) -> None:
    """The old token is refused with a new one, which shows the rest as it is now.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
    Conformance: [sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if \
the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]
    """

    async def scenario() -> None:
        await _templates(client)
        first = await _chunk(client)
        await client.request("POST", PATH, body=_template("template-9999"))
        store = Etcd([etcd.endpoint])
        await store.compact(await store.revision())
        await store.close()
        refused = await ask(apiserver.url, "GET", f"{PATH}?limit={CHUNK}&continue={first['metadata']['continue']}")
        assert (refused.status, refused.tree["reason"]) == (410, "Expired")
        chunk = await _chunk(client, refused.tree["metadata"]["continue"])
        version, found = chunk["metadata"]["resourceVersion"], _names(first)
        assert version != first["metadata"]["resourceVersion"]
        while True:
            found += _names(chunk)
            assert chunk["metadata"]["resourceVersion"] == version
            assert chunk["metadata"].get("remainingItemCount", 0) == NUMBER + 1 - len(found)
            if not chunk["metadata"].get("continue"):
                break
            chunk = await _chunk(client, chunk["metadata"]["continue"])
        assert found == [*(f"template-{number:04}" for number in range(NUMBER)), "template-9999"]

    runner.run(scenario())


def test_what_has_no_table_is_406_where_nothing_else_is_accepted(runner: asyncio.Runner, client: Client) -> None:
    """A review is answered, not stored: there is no metadata of it to make a row of.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#table-fetches
    Conformance: [sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does \
not implement metadata [Conformance]
    """
    review = {"spec": {"resourceAttributes": {"namespace": "default", "verb": "get", "resource": "pods"}}}

    async def scenario() -> None:
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        with pytest.raises(ApiError) as refused:
            await client.request("POST", path, body=review, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        assert (refused.value.code, refused.value.reason) == (406, "NotAcceptable")
        either = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        answer = await client.request("POST", path, body=review, headers={"Accept": either})
        assert answer.tree()["kind"] == "SelfSubjectAccessReview"

    runner.run(scenario())


def test_the_version_is_told_in_numbers(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apimachinery pkg/version (Info)

    Conformance: [sig-api-machinery] server version should find the server version [Conformance]
    """

    async def scenario() -> None:
        told = await _got(client, "/version")
        assert told["major"].isdecimal()
        assert told["minor"].isdecimal()
        assert told["gitVersion"].startswith(f"v{told['major']}.{told['minor']}.")

    runner.run(scenario())


def test_one_namespace_is_watched_by_its_old_path(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/ (/watch/ paths, deprecated but served)"""

    async def scenario() -> None:
        async with client.stream("GET", "/api/v1/watch/namespaces/default", params={"timeoutSeconds": "1"}) as answer:
            event = orjson.loads(await anext(answer.iter_lines()))
            assert event["object"]["metadata"]["name"] == "default"

    runner.run(scenario())


async def _got(client: Client, path: str, accept: str = "application/json") -> Any:
    return (await client.request("GET", path, headers={"Accept": accept})).tree()


def _resources(document: Tree) -> set[tuple[str, str, str]]:
    """(group, version, plural) of everything in an aggregated document."""
    return {
        (item["metadata"].get("name", ""), version["version"], one["resource"])
        for item in document["items"]
        for version in item["versions"]
        for one in version["resources"]
    }


def _template(name: str) -> Tree:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {"metadata": {"name": name}, "template": pod}


async def _templates(client: Client) -> None:
    for number in range(NUMBER):
        await client.request("POST", PATH, body=_template(f"template-{number:04}"))


async def _chunk(client: Client, token: str = "") -> Any:
    params = {"limit": str(CHUNK), **({"continue": token} if token else {})}
    return (await client.request("GET", PATH, params=params)).tree()


def _names(chunk: Tree) -> list[str]:
    return [item["metadata"]["name"] for item in chunk["items"]]
