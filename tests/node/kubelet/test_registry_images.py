"""Images of a registry on a real engine: pulled with the pod's login, and collected when the disk is full."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy.images.build import PAUSE
from kube.component.clock import SystemClock
from kubelet.disk_usage import FileSystem
from kubelet.image_collector import ImageCollector, ImagePolicy
from kubelet.runtime.docker import DockerRuntime
from kubelet.runtime.runtime import ContainerSpec, ImageUnavailable, PodIdentity, SandboxSpec
from tests.node.conftest import Engine

POD, CGROUP = PodIdentity("default", "web", "33333333-4444"), "/skiff-test/kubepods/podimages"
LOGIN = {"username": "me", "password": "word"}


@pytest.fixture
def registry(docker_engine: Engine) -> Iterator[str]:
    """host:port of a private registry beside the engine."""
    argv = docker_engine.inside(sys.executable, "-m", "tests.registry", *LOGIN.values())
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "it is a pipe"
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@pytest.mark.root
def test_unused_images_go_from_a_full_disk_while_used_pinned_and_local_ones_stay(docker_engine: Engine, registry: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#containers-images"""
    one, other = f"{registry}/one:1", f"{registry}/other:1"  # two names of one image

    async def test(runtime: DockerRuntime) -> None:
        with pytest.raises(ImageUnavailable, match="no basic auth credentials"):
            await runtime.pull(one, None)
        await runtime.pull(one, LOGIN)
        sandbox = await runtime.create_sandbox(SandboxSpec(POD, 0, PAUSE, "web", CGROUP))
        await runtime.create_container(ContainerSpec(POD, "main", 0, one, sandbox, CGROUP, command=("true",)))
        full = FileSystem(available=0, capacity=1 << 40, inodes_free=1, inodes=1)
        policy = ImagePolicy(min_age=timedelta(0))
        collector = ImageCollector(runtime, PAUSE, policy, SystemClock(), lambda: full)
        told: list[str] = []
        collector.on_failure = lambda reason, message: told.append(reason)
        assert await collector.collect() == 0
        assert told == ["FreeDiskSpaceFailed"]

        for record in await runtime.containers(POD.uid):
            await runtime.remove(record.id)
        await runtime.pull(other, LOGIN)
        assert await collector.collect() > 0
        left = {tag for image in await runtime.images() for tag in image.tags}
        assert not {one, other} & left
        assert {PAUSE, "busybox:latest"} <= left

    async def connected() -> None:
        runtime = DockerRuntime(docker_engine.endpoint)
        async with asyncio.timeout(60):
            task = asyncio.create_task(runtime.run())
            await runtime.connected.wait()
            try:
                await test(runtime)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(connected())
