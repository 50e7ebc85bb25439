"""Posts pods, one a line of JSON on standard input, over one kept connection. For the benchmark."""

import asyncio
import json
import sys

from kube.api.types import Pod
from kube.client import kubeconfig
from kube.client.rest import Client


async def main(path: str) -> None:
    async with Client(kubeconfig.load(path), "bench") as client, asyncio.TaskGroup() as tasks:
        await client.request("GET", "/version")
        print("connected", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks.create_task(client.create(Pod, json.loads(line), namespace="default"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
