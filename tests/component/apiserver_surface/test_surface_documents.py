"""Discovery, OpenAPI, health, as clients read them."""

import asyncio

from kube.api.types import Pod
from kube.client.discovery import AGGREGATED, discover
from kube.client.rest import Client


def test_discovery_is_one_document_with_a_name_for_its_state(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-3352, aggregated discovery."""

    async def scenario() -> None:
        answer = await client.request("GET", "/apis", headers={"Accept": AGGREGATED})
        assert answer.tree()["kind"] == "APIGroupDiscoveryList"
        again = await client.request("GET", "/apis", headers={"Accept": AGGREGATED, "If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        rows = {(row.group, row.plural): row for row in await discover(client)}
        assert rows[("apps", "deployments")].short_names == ("deploy",)
        assert "scale" in rows[("apps", "deployments")].subresources

    runner.run(scenario())


def test_old_discovery_lists_subresources_with_their_kinds(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        tree = (await client.request("GET", "/apis/apps/v1")).tree()
        scale = next(one for one in tree["resources"] if one["name"] == "deployments/scale")
        assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")

    runner.run(scenario())


def test_openapi_v3_index_leads_to_documents(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        index = (await client.request("GET", "/openapi/v3")).tree()
        url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
        path, _, query = url.partition("?")
        document = (await client.request("GET", path, params={"hash": query.removeprefix("hash=")})).tree()
        assert "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale" in document["paths"]
        spec = document["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]
        assert spec["properties"]["selector"]["allOf"]

    runner.run(scenario())


def test_health_lists_its_checks(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        text = (await client.request("GET", "/readyz", params={"verbose": ""})).body.decode()
        assert "[+]etcd ok" in text
        assert text.endswith("readyz check passed\n")
        await client.list(Pod)
        metrics = (await client.request("GET", "/metrics")).body.decode()
        assert "kubernetes_build_info" in metrics
        labels = 'component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"'
        assert f'apiserver_request_total{{code="200",{labels}}}' in metrics

    runner.run(scenario())
