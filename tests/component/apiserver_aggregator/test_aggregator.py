"""The aggregation layer, with a real extension API server over TLS in the test process."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from apiserver.config import Config
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, ServiceUnavailable
from kube.api.types import APIService, ConfigMap, EndpointSlice, Service
from kube.client.rest import Client
from tests.certificates import Authority
from tests.component.apiserver_aggregator.sample_server import GROUP, PATH, VERSION, SampleServer, sample_server
from tests.component.conftest import RunningApi
from tests.wait import eventually

PATIENCE_SECONDS = 10.0
ADDRESS = "127.96.0.99"  # the Service's, which leads to this host and nowhere else
NAME = f"{VERSION}.{GROUP}"
SERVER_NAME = "sample-api.default.svc"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
FLUNDER = Resource(GROUP, VERSION, "Flunder", "flunders")


@pytest.fixture
def front_proxy(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "front-proxy-ca")


@pytest.fixture
def api_config(api_config: Config, front_proxy: Authority) -> Config:
    shown = front_proxy.issue("front-proxy-client")
    return replace(
        api_config,
        service_cluster_ip_range=("127.96.0.0/16",),
        proxy_client_cert_file=shown.certificate,
        proxy_client_key_file=shown.key,
        requestheader_client_ca_file=front_proxy.certificate,
        requestheader_allowed_names=("front-proxy-client",),
        requestheader_username_headers=("X-Remote-User",),
        requestheader_group_headers=("X-Remote-Group",),
        requestheader_extra_headers_prefix=("X-Remote-Extra-",),
    )


async def condition(client: Client, name: str = NAME) -> Tree:
    tree = await client.get_tree(APIService, "", name)
    found: list[Tree] = [one for one in (tree.get("status") or {}).get("conditions") or () if one["type"] == "Available"]
    return found[0] if found else {}


async def told(client: Client, reason: str) -> str:
    """Until the condition has that reason; its message."""

    async def look() -> Tree | None:
        found = await condition(client)
        return found if found.get("reason") == reason else None

    return str((await eventually(look, PATIENCE_SECONDS))["message"])


async def register(client: Client, sample: SampleServer, **spec: Any) -> None:
    service = {"namespace": "default", "name": "sample-api", "port": sample.port}
    tree = {
        "metadata": {"name": NAME},
        "spec": {
            "group": GROUP, "version": VERSION, "service": service, "caBundle": sample.ca_bundle,
            "groupPriorityMinimum": 2000, "versionPriority": 200, **spec,
        },
    }  # fmt: skip
    await client.create(APIService, tree)


async def expose(client: Client, sample: SampleServer) -> None:
    """The Service and an endpoint of it."""
    ports = [{"port": sample.port, "name": "https"}]
    spec = {"clusterIP": ADDRESS, "ports": ports}
    await client.create(Service, {"metadata": {"name": "sample-api", "namespace": "default"}, "spec": spec})
    metadata = {"name": "sample-api-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "sample-api"}}
    endpoints = [{"addresses": ["192.0.2.9"], "conditions": {"ready": True}}]
    await client.create(EndpointSlice, {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": ports})


def test_what_is_served_here_has_its_api_services(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.7.71 (local groups are always available)"""

    async def scenario() -> None:
        async def look() -> Tree | None:
            listed = await client.list_tree(APIService)
            found = {one["metadata"]["name"]: one for one in listed["items"]}
            return found if "v2.autoscaling" in found and "v1." in found else None

        found = await eventually(look, PATIENCE_SECONDS)
        assert "v1.apiregistration.k8s.io" not in found
        apps = found["v1.apps"]
        assert apps["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
        assert apps["spec"] == {"group": "apps", "version": "v1", "groupPriorityMinimum": 17800, "versionPriority": 15}
        (local,) = apps["status"]["conditions"]
        del local["lastTransitionTime"]
        message = "Local APIServices are always available"
        assert local == {"type": "Available", "status": "True", "reason": "Local", "message": message}

    runner.run(scenario())


def test_availability_is_told_step_by_step(runner: asyncio.Runner, client: Client, front_proxy: Authority, tmp_path: Path) -> None:
    """Rule: behaviour E.7.71 (Available condition)"""

    async def scenario() -> None:
        async with sample_server(tmp_path, ADDRESS, SERVER_NAME, front_proxy.certificate) as sample:
            await register(client, sample)
            assert await told(client, "ServiceNotFound") == 'service/sample-api in "default" is not present'
            with pytest.raises(ServiceUnavailable):
                await client.list_tree(FLUNDER, "default")
            sample.healthy = False
            await expose(client, sample)
            url = f"https://{ADDRESS}:{sample.port}{PATH}"
            failed = f"failing or missing response from {url}: bad status from {url}: 503"
            assert await told(client, "FailedDiscoveryCheck") == failed
            sample.healthy = True
            assert await told(client, "Passed") == "all checks passed"
            await client.delete(EndpointSlice, Key("default", "sample-api-1"))
            missing = 'cannot find endpointslices for service/sample-api in "default"'
            assert await told(client, "EndpointsNotFound") == missing

    runner.run(scenario())


def test_requests_are_passed_on_in_the_users_name(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, front_proxy: Authority, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.71 (front-proxy client certificate, X-Remote-User and Group)

    Conformance: [sig-api-machinery] Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator [LinuxOnly] [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with sample_server(tmp_path, ADDRESS, SERVER_NAME, front_proxy.certificate) as sample:
            await expose(client, sample)
            await register(client, sample)
            await told(client, "Passed")
            metadata = {"name": "f", "namespace": "default"}

            async def reachable() -> Tree | None:
                try:
                    return await client.create(FLUNDER, {"metadata": metadata})
                except ServiceUnavailable:
                    return None

            made = await eventually(reachable, PATIENCE_SECONDS)
            assert made["kind"] == "Flunder"
            asked = sample.users[-1]
            assert asked["certificate"] == "front-proxy-client"
            assert ("x-remote-user", "admin") in [tuple(one) for one in asked["headers"]]
            assert ("x-remote-group", "system:masters") in [tuple(one) for one in asked["headers"]]
            assert not [one for one in asked["headers"] if one[0] == "authorization"]
            await client.request("GET", f"{PATH}/namespaces/default/flunders", headers={"X-Remote-User": "somebody"})
            assert [one[1] for one in sample.users[-1]["headers"] if one[0] == "x-remote-user"] == ["admin"]
            listed = await client.list_tree(FLUNDER, "default")
            assert [one["metadata"]["name"] for one in listed["items"]] == ["f"]
            assert (await client.get_tree(FLUNDER, "default", "f"))["metadata"] == metadata
            await client.delete(FLUNDER, Key("default", "f"))
            with pytest.raises(ApiError) as gone:
                await client.get_tree(FLUNDER, "default", "f")
            assert gone.value.code == 404
            await _status_is_kept(client)
            await client.request("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices", params={"labelSelector": "sample=yes"})

            async def unknown() -> bool:
                with pytest.raises(ApiError) as error:
                    await client.list_tree(FLUNDER, "default")
                return error.value.code == 404

            await eventually(unknown, PATIENCE_SECONDS)

    async def _status_is_kept(client: Client) -> None:
        """The status can be patched; the label is for the deletion that follows."""
        await client.patch(APIService, Key("", NAME), {"metadata": {"labels": {"sample": "yes"}}})
        now = "2026-01-01T00:00:00Z"
        patched = {"type": "StatusPatched", "status": "True", "reason": "E2E", "message": "Set by e2e", "lastTransitionTime": now}
        tree = await client.get_tree(APIService, "", NAME)
        await client.patch_status(APIService, Key("", NAME), {"conditions": [*tree["status"]["conditions"], patched]})
        tree = await client.get_tree(APIService, "", NAME)
        assert {one["type"] for one in tree["status"]["conditions"]} == {"Available", "StatusPatched"}

    runner.run(scenario())


def test_documents_tell_of_other_servers_groups(
    runner: asyncio.Runner, client: Client, front_proxy: Authority, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.71 (discovery merged), E.7.77"""

    async def scenario() -> None:
        async def got(path: str, accept: str = "application/json") -> Tree:
            return (await client.request("GET", path, headers={"Accept": accept})).tree()

        async def group(accept: str = AGGREGATED) -> Tree:
            items = (await got("/apis", accept))["items"]
            return next((one for one in items if one["metadata"]["name"] == GROUP), {})

        async def current() -> Tree | None:
            found = await group()
            return found if found and found["versions"][0]["freshness"] == "Current" else None

        async with sample_server(tmp_path, ADDRESS, SERVER_NAME, front_proxy.certificate) as sample:
            await register(client, sample)
            await eventually(group, PATIENCE_SECONDS)
            assert (await group())["versions"] == [{"version": VERSION, "freshness": "Stale"}]
            await expose(client, sample)
            (version,) = (await eventually(current, PATIENCE_SECONDS))["versions"]
            (flunders,) = version["resources"]
            assert (flunders["resource"], flunders["scope"], flunders["shortNames"]) == ("flunders", "Namespaced", ["fl"])
            assert flunders["responseKind"] == {"group": GROUP, "version": VERSION, "kind": "Flunder"}
            listed = {one["name"]: one for one in (await got("/apis"))["groups"]}
            assert listed[GROUP]["preferredVersion"] == {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
            assert (await got(PATH))["resources"][0]["name"] == "flunders"
            where = (await got("/openapi/v3"))["paths"][f"apis/{GROUP}/{VERSION}"]["serverRelativeURL"]
            assert (await got(where.partition("?")[0]))["info"]["title"] == "wardle"
            await client.delete(APIService, Key("", NAME))

            async def gone() -> bool:
                return await group() == {}

            await eventually(gone, PATIENCE_SECONDS)

    runner.run(scenario())


def test_watches_are_passed_on_as_they_come(runner: asyncio.Runner, client: Client, front_proxy: Authority, tmp_path: Path) -> None:
    """Rule: behaviour E.7.71"""

    async def scenario() -> None:
        async with sample_server(tmp_path, ADDRESS, SERVER_NAME, front_proxy.certificate) as sample:
            await expose(client, sample)
            await register(client, sample)
            await told(client, "Passed")

            async def first_event() -> Tree:
                path = f"{PATH}/namespaces/default/flunders"
                async with client.stream("GET", path, params={"watch": True}) as stream:
                    await client.create(FLUNDER, {"metadata": {"name": "w", "namespace": "default"}})
                    async for line in stream.iter_lines():
                        event: Tree = orjson.loads(line)
                        return event
                raise AssertionError("the watch ended")

            async with asyncio.timeout(PATIENCE_SECONDS):
                event = await first_event()
            assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "w")

    runner.run(scenario())


def test_extension_servers_are_told_whom_to_trust(runner: asyncio.Runner, client: Client, front_proxy: Authority) -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/"""

    async def scenario() -> None:
        async def look() -> Tree | None:
            try:
                return await client.get_tree(ConfigMap, "kube-system", "extension-apiserver-authentication")
            except ApiError:
                return None

        data = (await eventually(look, PATIENCE_SECONDS))["data"]
        assert data["requestheader-client-ca-file"] == front_proxy.certificate.read_text()
        assert data["requestheader-allowed-names"] == '["front-proxy-client"]'
        assert data["requestheader-username-headers"] == '["X-Remote-User"]'
        assert data["requestheader-extra-headers-prefix"] == '["X-Remote-Extra-"]'

    runner.run(scenario())
