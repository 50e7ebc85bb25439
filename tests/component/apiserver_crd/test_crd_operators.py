"""Definitions as big as operators bring them: they are accepted, quick, and hold up nobody else."""

import asyncio
import time
from collections.abc import Callable

import orjson
import pytest

from kube.api.meta import Tree
from kube.api.status import Invalid
from kube.client.rest import Client
from tests.component.apiserver_crd import operators
from tests.component.apiserver_crd.crds import create, established, get, patch

# In seconds of this process's CPU, whatever else the machine does.
ESTABLISHED_SECONDS = 1.0  # of half a megabyte; it takes a quarter
WAIT_SECONDS = 0.6  # of CPU, while another request waits: a fifth of it, more where cores are shared


@pytest.mark.parametrize(
    ("make", "size"),
    [(operators.certificate, 2_000), (operators.prometheus, 400_000), (operators.workflow, 50_000)],
    ids=["certificate", "prometheus", "workflow"],
)
def test_definitions_of_operators_are_accepted(runner: asyncio.Runner, client: Client, make: Callable[[], Tree], size: int) -> None:
    """While one is created and served, others are answered.

    Rule: behaviour E.7.70 (structural schemas)
    """

    async def scenario() -> None:
        tree = make()
        assert len(orjson.dumps(tree)) > size
        waits: list[float] = []
        asking = asyncio.create_task(ask_all_the_time(client, waits))
        try:
            begin = time.process_time()
            await established(client, tree)
            took = time.process_time() - begin
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        assert took < ESTABLISHED_SECONDS
        assert max(waits) < WAIT_SECONDS
        spec = tree["spec"]
        document = await get(client, f"/openapi/v3/apis/{spec['group']}/v1")
        assert any(name.endswith(f".v1.{spec['names']['kind']}") for name in document["components"]["schemas"])

    async def ask_all_the_time(client: Client, waits: list[float]) -> None:
        while True:
            begin = time.process_time()
            await get(client, "/api/v1/namespaces/default")
            waits.append(time.process_time() - begin)

    runner.run(scenario())


def test_an_object_with_a_pod_in_it_is_checked_and_filled_in(runner: asyncio.Runner, client: Client) -> None:
    """Ports are told apart by number and protocol, amounts are text or numbers, unknown fields go.

    Rule: behaviour E.7.70
    """

    async def scenario() -> None:
        await established(client, operators.prometheus())
        path = "/apis/watching.example.com/v1/namespaces/default/prometheuses"
        container = {
            "name": "main",
            "image": "p",
            "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
        }
        tree = {
            "apiVersion": "watching.example.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": "a"},
            "spec": {"replicas": 1, "containers": [{**container, "unknown": 1}]},
        }
        made = await create(client, path, tree)
        ports = [{"containerPort": 80, "protocol": "TCP"}]
        assert made["spec"] == {"replicas": 1, "retention": "24h", "containers": [{**container, "ports": ports}]}
        scaled = await patch(client, f"{path}/a/scale", {"spec": {"replicas": 3}})
        assert scaled["spec"]["replicas"] == 3
        again = {**container, "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]}
        with pytest.raises(Invalid, match=r"spec.containers\[0\].ports\[1\]: Duplicate value: "):
            await patch(client, f"{path}/a", {"spec": {"containers": [again]}})

    runner.run(scenario())
