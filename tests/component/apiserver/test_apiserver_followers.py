"""What is stored and cannot be understood: an older server's, or written past the API. The server leaves it out and goes on."""

import asyncio
import base64
import logging

import orjson
import pytest

from apiserver.app import running
from apiserver.config import Config
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component import http_server
from tests.component.conftest import ADMIN_TOKEN
from tests.component.etcd_member import EtcdMember

KEYS = {  # by kind; the objects have nothing but a name
    "CustomResourceDefinition": "apiextensions.k8s.io/customresourcedefinitions/odd",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/clusterrolebindings/odd",
}


def test_a_server_starts_with_objects_that_it_cannot_understand(
    runner: asyncio.Runner, etcd: EtcdMember, api_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule: nothing that is stored ends a server or keeps it from starting; what is left out is logged by its name."""

    async def scenario() -> None:
        for kind, key in KEYS.items():
            odd = {"kind": kind, "apiVersion": f"{key.partition('/')[0]}/v1", "metadata": {"name": "odd", "uid": "1"}}
            name, value = f"{api_config.etcd_prefix}/{key}".encode(), orjson.dumps(odd)
            etcd.call("kv/put", {"key": base64.b64encode(name).decode(), "value": base64.b64encode(value).decode()})
        with caplog.at_level(logging.ERROR):
            async with running(api_config) as (_, app):
                listener = await http_server.serve(app, "127.0.0.1", 0, on_upgrade=app.on_upgrade)
                where = kubeconfig.Config(server=f"http://127.0.0.1:{listener.port}", token=ADMIN_TOKEN)
                async with Client(where, "test") as client:
                    answer = await client.request("GET", "/api")
                    assert answer.tree()["kind"] == "APIVersions"
                await listener.close(within=0.5)
        assert caplog.text.count("object left out") == len(KEYS), caplog.text

    runner.run(scenario())
