"""What a request leaves behind: nothing that waits for the cycle collector, which stops every watcher's events while it looks."""

import asyncio
import gc

from apiserver.context import Request
from kube.client.rest import Client
from tests.wait import eventually

PATH = "/api/v1/namespaces/default/configmaps"


def requests_in_memory() -> int:
    return sum(isinstance(one, Request) for one in gc.get_objects())


def test_requests_of_every_kind_leave_no_cycle_behind(runner: asyncio.Runner, client: Client) -> None:
    """Rule: what a request held is free when it is answered, whether it wrote, read or watched."""

    async def scenario() -> None:
        gc.collect()
        before = requests_in_memory()
        gc.disable()
        try:
            for number in range(5):
                tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"left-{number}"}}
                await client.request("POST", PATH, body=tree)
                await client.request("PUT", f"{PATH}/left-{number}", body=tree | {"data": {"a": "b"}})
                await client.request("GET", f"{PATH}/left-{number}", headers={"Accept": "application/yaml"})
                await client.request("GET", PATH)
                async with client.stream("GET", PATH, params={"watch": True}) as stream:
                    await anext(aiter(stream.iter_lines()))
                await client.request("DELETE", f"{PATH}/left-{number}")

            async def gone() -> bool:
                return requests_in_memory() <= before + 2  # the last ones are still held by their connections

            await eventually(gone, 5)
        finally:
            gc.enable()

    runner.run(scenario())
