"""Directories that the kubelet follows, and that others may remove under it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import Pod
from kubelet.csi.plugins import REGISTRY, Plugins
from kubelet.static_pods import StaticPods
from tests.csi_driver import DRIVER, MemoryDriver
from tests.wait import eventually

MANIFEST = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, image: i}]}"


@pytest.fixture
def root() -> Iterator[Path]:
    """Short: Unix sockets' paths are limited to 108 bytes."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_static_pods_go_with_their_directory_and_may_come_back(root: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/ (`kubeadm reset` removes the directory)"""
    directory, told = root / "manifests", list[dict[str, Pod]]([{}])

    async def named(*wanted: str) -> bool:
        return directory.is_dir() and [pod.metadata.name for pod in told[-1].values()] == list(wanted)

    async def scenario() -> None:
        async with running(StaticPods(directory, "n", told.append).run()):
            for name in ("a", "b"):
                await eventually(named, within=5)
                (directory / "pod.yaml").write_text(MANIFEST % name)
                await eventually(partial(named, f"{name}-n"), within=5)
                shutil.rmtree(directory)

    asyncio.run(scenario())


def test_drivers_go_with_their_registry_and_may_come_back(root: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/node/kubelet-files/#device-plugins"""
    directory, plugins = root / REGISTRY, Plugins(root, "n", None)

    async def known(*wanted: str) -> bool:
        return directory.is_dir() and tuple(plugins.drivers) == wanted

    async def scenario() -> None:
        async with running(plugins.run()):
            for _ in range(2):
                await eventually(known, within=5)
                driver = MemoryDriver(directory / "reg.sock")
                driver.start()
                await eventually(partial(known, DRIVER), within=5)
                driver.stop()
                shutil.rmtree(directory)

    asyncio.run(scenario())
