"""Managed fields: whose a field is that nobody sent."""

import asyncio

import orjson

from kube.api.meta import Tree
from kube.client.rest import Client

NAMESPACE = "/api/v1/namespaces/default"


def test_what_admission_and_the_server_add_is_nobodys(runner: asyncio.Runner, client: Client) -> None:
    """A pod's service account, tolerations and priority, a Service's address, a Namespace's finalizer, a Node's status.

    Rule: apiserver pkg/endpoints/handlers/create.go: fields are tracked before admission, and without what the strategy resets
    """

    async def scenario() -> None:
        async def owned(path: str, tree: Tree) -> Tree:
            made = orjson.loads((await client.request("POST", path, body=tree)).body)
            [entry] = made["metadata"]["managedFields"]
            fields: Tree = entry["fieldsV1"]
            return fields

        await owned(f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default", "labels": {"a": "b"}}})
        container = {"name": "c", "image": "i"}
        pod = await owned(f"{NAMESPACE}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [container]}})
        assert pod == {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"c"}': {
                        ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {},
                        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
                    }
                },
                "f:dnsPolicy": {}, "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {},
                "f:securityContext": {}, "f:terminationGracePeriodSeconds": {},
            }
        }  # fmt: skip
        service = await owned(f"{NAMESPACE}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
        assert "f:clusterIP" not in service["f:spec"]
        namespace = await owned("/api/v1/namespaces", {"metadata": {"name": "n"}})
        assert namespace == {"f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/metadata.name": {}}}}
        node = await owned("/api/v1/nodes", {"metadata": {"name": "n"}, "spec": {"unschedulable": True}, "status": {"phase": "x"}})
        assert node == {"f:spec": {"f:unschedulable": {}}}

    runner.run(scenario())
