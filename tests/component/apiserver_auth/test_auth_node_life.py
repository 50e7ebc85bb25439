"""A kubelet's work, done as the node that it is: all that it needs is let through, and nothing of another node's."""

import asyncio
from typing import Any

import pytest

from apiserver.config import Config
from kube.api.meta import Key, Tree
from kube.api.status import Forbidden, Invalid, NotFound
from kube.api.types import Lease, Node, Pod, ServiceAccount
from kube.client.rest import STRATEGIC, Client
from tests.component.conftest import RunningApi

TOKEN = "node-token"
KUBELET_LABELS = {"kubernetes.io/hostname": "n", "kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64"}


@pytest.fixture
def api_config(api_config: Config) -> Config:
    """With a node among the users."""
    assert api_config.token_auth_file is not None
    with api_config.token_auth_file.open("a") as file:
        file.write(f'{TOKEN},system:node:n,n,"system:nodes"\n')
    return api_config


def a_pod(name: str, node: str, **metadata: Any) -> Tree:
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": name, "namespace": "default", **metadata}, "spec": spec}


def test_a_node_does_its_work_and_no_others(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/node/"""

    async def scenario() -> None:
        await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
        await client.create(Pod, a_pod("other", "m"))
        async with Client(apiserver.config(TOKEN), "kubelet") as node:
            own = await node.create(Node, {"metadata": {"name": "n", "labels": KUBELET_LABELS}})
            condition = {"type": "Ready", "status": "True"}
            await node.patch(Node, Key("", "n"), {"status": {"conditions": [condition]}}, type=STRATEGIC, subresource="status")
            await node.create(Lease, {"metadata": {"name": "n", "namespace": "kube-node-lease"}, "spec": {"holderIdentity": "n"}})
            pod = await client.create(Pod, a_pod("own", "n"))
            bound = {"apiVersion": "v1", "kind": "Pod", "name": "own", "uid": pod["metadata"]["uid"]}
            await _a_token(node, bound)
            await node.patch(Pod, Key("default", "own"), {"status": {"phase": "Running"}}, type=STRATEGIC, subresource="status")
            await node.delete(Pod, Key("default", "own"), uid=pod["metadata"]["uid"], grace_seconds=0)
            owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": own["metadata"]["uid"], "controller": True}
            mirror = {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}
            await node.create(Pod, a_pod("static", "n", **mirror))
            await _refusals(node, mirror)
            await _refused_in_order(node, mirror)

    async def _a_token(node: Client, bound: Tree) -> None:
        answer = await node.create_subresource(
            ServiceAccount, Key("default", "default"), "token", {"spec": {"boundObjectRef": bound}}
        )
        assert answer["status"]["token"]

    async def _refusals(node: Client, mirror: Tree) -> None:
        with pytest.raises(Forbidden, match=r'node "n" can only create pods with spec\.nodeName set to itself'):
            await node.create(Pod, a_pod("static", "m", **mirror))
        with pytest.raises(Forbidden, match="can only create mirror pods"):
            await node.create(Pod, a_pod("plain", "n"))
        with pytest.raises(Forbidden, match=r'node "n" can only delete pods with spec\.nodeName set to itself'):
            await node.delete(Pod, Key("default", "other"))
        labels = {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}
        with pytest.raises(Forbidden, match=r"is not allowed to modify labels: node-role\.kubernetes\.io/control-plane"):
            await node.patch(Node, Key("", "n"), labels, type=STRATEGIC)
        taints = {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}
        with pytest.raises(Forbidden, match="is not allowed to modify taints"):
            await node.patch(Node, Key("", "n"), taints, type=STRATEGIC)

    runner.run(scenario())


async def _refused_in_order(node: Client, mirror: Tree) -> None:
    """Before a name is made up, before an object is validated, and of what there is."""
    with pytest.raises(Forbidden, match=r'nodes "more-" is forbidden: node "n" is not allowed to modify node ""'):
        await node.create(Node, {"metadata": {"generateName": "more-"}})
    projected = [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
    curious = a_pod("curious", "n", **mirror)
    with pytest.raises(Forbidden, match="a mirror pod may not use ServiceAccountToken volume projections"):
        await node.create(Pod, {**curious, "spec": {**curious["spec"], "volumes": projected}})
    with pytest.raises(NotFound, match='pod "nowhere" not found'):
        await node.create_subresource(Pod, Key("default", "nowhere"), "eviction", {"metadata": {"name": "nowhere"}})
    with pytest.raises(Invalid, match="may not remove or update mirror pod annotation"):
        await node.patch(Pod, Key("default", "static"), {"metadata": {"annotations": None}}, subresource="status")
