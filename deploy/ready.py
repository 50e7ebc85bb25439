"""Waiting for the cluster: the API server answers, the node is Ready. By watching, with a deadline."""

import asyncio
import ssl
import time
from pathlib import Path

import httpx

from deploy.cluster import Cluster
from deploy.progress import StepFailed
from kube.api.types import Node
from kube.client import kubeconfig
from kube.client.informer import Informer
from kube.client.rest import Client

READY_SECONDS = 60
LOOK_SECONDS = 0.05  # between two looks at a server that is not there yet


def wait_for_api_server(cluster: Cluster, server: str = "") -> None:
    """`server`: where it is reached from here, if not where the programs reach it. Raises StepFailed."""
    trust = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(verify=trust, trust_env=False, timeout=3) as http:
        while not _ready(http, f"{server or cluster.server}/readyz"):
            if time.monotonic() > deadline:
                raise StepFailed(f"the API server is not ready within {READY_SECONDS} s", "`make logs P=kube-apiserver`")
            time.sleep(LOOK_SECONDS)


def wait_for_node(cluster: Cluster, config: Path | None = None) -> None:
    """`config`: the kubeconfig to ask with, if not the cluster's own administrator's. Raises StepFailed."""
    try:
        asyncio.run(_node_ready(cluster, config or cluster.kubeconfig("admin")))
    except TimeoutError:
        raise StepFailed(f"the node is not Ready within {READY_SECONDS} s", "`make logs P=kubelet`") from None


async def _node_ready(cluster: Cluster, config: Path) -> None:
    ready = asyncio.Event()

    def look(old: Node | None, new: Node | None) -> None:
        conditions = (new.status.conditions if new is not None and new.status is not None else None) or ()
        if any(one.type == "Ready" and one.status == "True" for one in conditions):
            ready.set()

    async with Client(kubeconfig.load(str(config)), "make-up") as client:
        informer = Informer(client, Node, field_selector=f"metadata.name={cluster.node_name}")
        informer.on_change(look)
        following = asyncio.ensure_future(informer.run())
        try:
            async with asyncio.timeout(READY_SECONDS):
                await ready.wait()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def _ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == 200
    except httpx.TransportError:
        return False
