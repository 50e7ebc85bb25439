"""Discovery, OpenAPI, health, as clients read them."""

import asyncio

from apiserver.app import running
from apiserver.config import Config
from kube.api.types import Pod
from kube.client.discovery import AGGREGATED, discover
from kube.client.rest import Client
from kube.component import http_server
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import RunningApi
from tests.wait import eventually

NECESSARY = {
    "autoregister-completion",
    *(
        f"poststarthook/{name}"
        for name in (
            "generic-apiserver-start-informers", "start-apiextensions-informers", "start-apiextensions-controllers",
            "crd-informer-synced", "start-system-namespaces-controller", "bootstrap-controller",
            "scheduling/bootstrap-system-priority-classes", "rbac/bootstrap-roles", "start-cluster-authentication-info-controller",
            "start-kube-aggregator-informers", "apiservice-registration-controller", "apiservice-status-local-available-controller",
            "apiservice-status-remote-available-controller", "kube-apiserver-autoregistration", "apiservice-openapi-controller",
        )
    ),
}  # fmt: skip


def test_discovery_is_one_document_with_a_name_for_its_state(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-3352, aggregated discovery."""

    async def scenario() -> None:
        answer = await client.request("GET", "/apis", headers={"Accept": AGGREGATED})
        assert answer.tree()["kind"] == "APIGroupDiscoveryList"
        again = await client.request("GET", "/apis", headers={"Accept": AGGREGATED, "If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        rows = {(row.group, row.plural): row for row in (await discover(client)).resources}
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


def test_health_lists_its_checks(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """The e2e test "health handlers should contain necessary checks" looks for these. Rule: apiserver pkg/server/healthz.go"""

    async def scenario() -> None:
        async def listed(root: str) -> list[str]:
            text = (await client.request("GET", f"/{root}", params={"verbose": ""})).body.decode()
            assert text.endswith(f"{root} check passed\n"), text
            return [line.removeprefix("[+]").removesuffix(" ok") for line in text.splitlines()[:-1]]

        async def ready() -> list[str]:
            return await listed("readyz")

        checks = await eventually(ready, 10, "its first objects are there")
        assert checks[:6] == [
            "ping", "log", "etcd", "etcd-readiness", "informer-sync", "poststarthook/start-apiserver-admission-initializer"
        ]  # fmt: skip
        assert checks[-1] == "shutdown"
        alive = [name for name in checks if name not in ("etcd-readiness", "informer-sync", "shutdown")]
        assert await listed("livez") == await listed("healthz") == alive
        assert set(alive) >= NECESSARY
        await client.list(Pod)
        metrics = (await client.request("GET", "/metrics")).body.decode()
        assert "kubernetes_build_info" in metrics
        labels = 'component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"'
        assert f'apiserver_request_total{{code="200",{labels}}}' in metrics

    runner.run(scenario())


def test_a_server_without_its_first_objects_is_neither_ready_nor_alive(runner: asyncio.Runner, api_config: Config) -> None:
    """Each check by itself says what is missing. Rule: apiserver pkg/server/hooks.go (postStartHookHealthz)"""

    async def scenario() -> None:
        async with running(api_config) as (_, app):
            listener = await http_server.serve(app, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{listener.port}"
            try:
                for root in ("livez", "readyz"):
                    answer = await ask(url, "GET", f"/{root}")
                    assert answer.status == 500
                    assert b"[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n" in answer.body
                alone = await ask(url, "GET", "/readyz/poststarthook/rbac/bootstrap-roles")
                assert (alone.status, alone.body) == (500, b"internal server error: not finished\n")
                assert (await ask(url, "GET", "/readyz/informer-sync")).body == b"ok"
            finally:
                await listener.close(within=0.5)

    runner.run(scenario())
