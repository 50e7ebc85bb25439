"""What the controllers' tests share: a controller manager to start and to kill, and somebody who makes pods ready."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller_manager.config import Config
from controller_manager.start import chosen_controllers, control
from kube.api.meta import Key, Tree, key_of
from kube.api.status import Conflict, NotFound
from kube.api.types import Pod, ServiceAccount
from kube.api.views import timestamp
from kube.client.informer import Informer
from kube.client.rest import STRATEGIC, Client
from kube.component.clock import SystemClock
from tests.wait import eventually

SOON = 15.0  # seconds within which a controller has done its part, on a busy machine


class Cluster:
    """An API server with a controller manager beside it."""

    def __init__(self, client: Client, config: Config) -> None:
        self.client = client
        self.config = config
        self._managers: list[asyncio.Task[None]] = []

    def start(self, **changes: Any) -> "asyncio.Task[None]":
        """Another controller manager, with these flags changed."""
        config = replace(self.config, **changes)
        task = asyncio.ensure_future(control(self.client, config, chosen_controllers(config)))
        self._managers.append(task)
        return task

    async def kill(self, task: "asyncio.Task[None]") -> None:
        """End it on the spot."""
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._managers.remove(task)

    async def end(self) -> None:
        for task in list(self._managers):
            if task.done():
                task.result()  # a manager that died by itself fails the test
            await self.kill(task)

    async def pods(self, namespace: str = "default", selector: str = "") -> list[Pod]:
        return [
            pod for pod in await self.client.list(Pod, namespace, label_selector=selector) if not pod.metadata.deletionTimestamp
        ]

    async def until(self, look: Callable[[], Awaitable[Any]], what: str, within: float = SOON) -> Any:
        """Also fails at once when a manager has died."""

        async def alive() -> Any:
            for task in self._managers:
                if task.done():
                    task.result()
            try:
                return await look()
            except NotFound as error:
                raise AssertionError(error) from error

        return await eventually(alive, within, what)

    async def start_and_settle(self) -> None:
        """Start a manager, and wait until pods can be created."""
        self.start()
        await self.until(lambda: self.client.get(ServiceAccount, "default", "default"), "the account that pods need")

    async def set_phase(self, pod: Pod, phase: str, **status: Any) -> Tree:
        now = timestamp(SystemClock().now())
        ready = {"type": "Ready", "status": "True" if phase == "Running" else "False", "lastTransitionTime": now}
        told = {"phase": phase, "conditions": [ready], **status}
        return await self.client.patch(Pod, key_of(pod), {"status": told}, type=STRATEGIC, subresource="status")

    @asynccontextmanager
    async def pods_get_ready(self) -> AsyncIterator[None]:
        """A kubelet's part: every new pod becomes ready."""
        informer: Informer[Pod] = Informer(self.client, Pod)
        fresh: asyncio.Queue[Pod] = asyncio.Queue()
        informer.on_change(lambda old, new: fresh.put_nowait(new) if old is None and new is not None else None)

        async def work() -> None:
            addresses = (f"10.244.0.{number}" for number in range(2, 250))
            while True:
                pod = await fresh.get()
                if pod.status.phase in ("Pending", None) and pod.metadata.deletionTimestamp is None:
                    ip = next(addresses)
                    with suppress(NotFound, Conflict):
                        await self.set_phase(pod, "Running", podIP=ip, podIPs=[{"ip": ip}])

        tasks = [asyncio.ensure_future(informer.run()), asyncio.ensure_future(work())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def a_template(app: str = "web", image: str = "web:1", **spec: Any) -> Tree:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}], **spec}}


def a_workload(name: str, replicas: int, template: Tree, **spec: Any) -> Tree:
    labels = template["metadata"]["labels"]
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def at(name: str, namespace: str = "default") -> Key:
    return Key(namespace, name)


@pytest.fixture
def manager_config(tmp_path: Path) -> Config:
    authority = tmp_path / "ca.crt"
    authority.write_text("-----BEGIN CERTIFICATE-----\n")
    return Config(root_ca_file=authority, allocate_node_cidrs=True, cluster_cidr="10.244.0.0/16")


@pytest.fixture
def cluster(runner: asyncio.Runner, client: Client, manager_config: Config) -> Iterator[Cluster]:
    one = Cluster(client, manager_config)
    yield one
    runner.run(one.end())
