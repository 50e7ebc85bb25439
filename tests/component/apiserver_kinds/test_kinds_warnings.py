"""What is valid, but old or surprising, comes back as Warning headers."""

import asyncio

from kube.api.meta import Tree
from kube.client.rest import Client

OLD_NODE = {"nodeSelector": {"beta.kubernetes.io/os": "linux"}}
PODS = "/api/v1/namespaces/default/pods"


def _pod(name: str, **spec: object) -> Tree:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }  # fmt: skip


async def _warnings(client: Client, method: str, path: str, body: Tree | None = None) -> list[str]:
    answer = await client.request(method, path, body=body, headers={"Content-Type": "application/json"})
    return list(answer.headers.getall("Warning", []))  # type: ignore[attr-defined]  # aiohttp's multidict


def test_a_new_pod_is_told_what_is_old_about_it(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#warnings; KEP-1693"""

    async def scenario() -> None:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        await client.request("POST", "/api/v1/namespaces/default/serviceaccounts", body=account)
        found = await _warnings(client, "POST", PODS, _pod("old", **OLD_NODE))
        text = 'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \\"kubernetes.io/os\\" instead'
        assert found == [f'299 - "{text}"']
        assert await _warnings(client, "POST", PODS, _pod("new")) == []
        old = (await client.request("GET", f"{PODS}/old")).tree()
        assert await _warnings(client, "PUT", f"{PODS}/old", old) == [], "whoever changes pods is no human"

    runner.run(scenario())


def test_each_request_for_endpoints_is_told_that_they_are_deprecated(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-4974"""

    async def scenario() -> None:
        said = ['299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"']
        path = "/api/v1/namespaces/default/endpoints"
        body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "e"}}
        assert await _warnings(client, "POST", path, body) == said
        assert await _warnings(client, "GET", path) == said
        assert await _warnings(client, "GET", f"{path}/e") == said
        assert await _warnings(client, "GET", "/api/v1/namespaces/default/configmaps") == []

    runner.run(scenario())
