"""What every runtime promises, held to Docker and to the fake alike."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from deploy.images.build import PAUSE
from kubelet.runtime.docker import DockerRuntime
from kubelet.runtime.runtime import ContainerSpec, PodIdentity, Runtime, RuntimeFailure, SandboxSpec
from tests.fake_runtime import FakeRuntime
from tests.wait import eventually

Test = Callable[[Runtime], Awaitable[None]]
Run = Callable[[Test], None]
IMAGE = "busybox:latest"


@pytest.fixture(params=["fake", "docker"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a test against a connected runtime."""

    endpoint = "" if request.param == "fake" else request.getfixturevalue("docker_engine").endpoint

    async def connected(test: Test) -> None:
        one: Runtime = DockerRuntime(endpoint) if endpoint else FakeRuntime([IMAGE])
        async with asyncio.timeout(60):
            task = asyncio.create_task(one.run())
            await one.connected.wait()
            try:
                await test(one)
            finally:
                for record in await one.containers():
                    await one.remove(record.id)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return lambda test: asyncio.run(connected(test))


POD = PodIdentity("default", "web", "11111111-2222")


async def sandbox_of(runtime: Runtime) -> str:
    sandbox_id = await runtime.create_sandbox(SandboxSpec(POD, 0, PAUSE, "web", "/skiff-test/kubepods/podx"))
    await runtime.start(sandbox_id)
    return sandbox_id


async def container_of(runtime: Runtime, sandbox_id: str, *command: str, attempt: int = 0) -> str:
    spec = ContainerSpec(POD, "main", attempt, IMAGE, sandbox_id, "/skiff-test/kubepods/podx", command=command)
    return await runtime.create_container(spec)


@pytest.mark.root
def test_a_pods_containers_are_found_again_by_its_uid_newest_first(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        sandbox_id = await sandbox_of(runtime)
        for attempt in (0, 1):
            await runtime.start(await container_of(runtime, sandbox_id, "sleep", "1000", attempt=attempt))
        found = [one for one in await runtime.containers(POD.uid) if not one.is_sandbox]
        assert [(one.name, one.attempt, one.state, one.pod, one.sandbox_id) for one in found] == [
            ("main", 1, "running", POD, sandbox_id),
            ("main", 0, "running", POD, sandbox_id),
        ]
        assert await runtime.containers("another") == []
        held = await runtime.holders()
        assert {one.uid for one in held} == {POD.uid}
        assert {one.image_id for one in found} <= {one.image_id for one in held}

    run(test)


@pytest.mark.root
def test_an_end_is_told_with_its_exit_code(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        container_id = await container_of(runtime, await sandbox_of(runtime), "false")
        while not runtime.changes.empty():
            runtime.changes.get_nowait()
        await runtime.start(container_id)
        await runtime.wait_ended(container_id)
        assert await runtime.changes.get() == POD.uid
        record = await runtime.inspect(container_id)
        assert (record.state, record.exit_code, record.reason) == ("exited", 1, "Error")

    run(test)


@pytest.mark.root
def test_a_program_that_is_not_there_leaves_a_record_that_says_so(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        container_id = await container_of(runtime, await sandbox_of(runtime), "nosuch")
        with pytest.raises(RuntimeFailure, match="nosuch"):
            await runtime.start(container_id)
        record = await runtime.inspect(container_id)
        assert (record.state, record.exit_code, record.reason) == ("exited", 127, "ContainerCannotRun")

    run(test)


@pytest.mark.root
def test_a_killed_container_ends_with_137_and_may_be_signalled_and_removed_again(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        container_id = await container_of(runtime, await sandbox_of(runtime), "sleep", "1000")
        await runtime.start(container_id)
        await runtime.signal(container_id, "SIGKILL")
        await runtime.wait_ended(container_id)
        assert (await runtime.inspect(container_id)).exit_code == 137
        await runtime.signal(container_id, "SIGTERM")
        for _ in range(2):
            await runtime.remove(container_id)

    run(test)


@pytest.mark.root
def test_an_attempt_that_an_earlier_kubelet_did_not_start_is_replaced(run: Run) -> None:
    # what if the kubelet is killed between creating a container and starting it
    async def test(runtime: Runtime) -> None:
        sandbox_id = await sandbox_of(runtime)
        left = await container_of(runtime, sandbox_id, "sleep", "1000")
        made = await container_of(runtime, sandbox_id, "sleep", "1000")
        assert [one.id for one in await runtime.containers(POD.uid) if not one.is_sandbox] == [made]
        assert left != made

    run(test)


@pytest.mark.root
def test_a_call_that_was_begun_is_finished_though_its_caller_is_cancelled(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        sandbox_id = await sandbox_of(runtime)
        creating = asyncio.create_task(container_of(runtime, sandbox_id, "sleep", "1000"))
        await asyncio.sleep(0)  # noqa: TID251  # let it begin
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)

        async def whole() -> bool:
            records = [one for one in await runtime.containers(POD.uid) if not one.is_sandbox]
            return all(one.state == "created" for one in records)

        assert await eventually(whole, within=5)

    run(test)


@pytest.mark.root
def test_an_image_is_known_by_its_tag_or_not_at_all(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        found = await runtime.image(IMAGE)
        assert found is not None
        assert IMAGE in found.tags
        assert await runtime.image("nothing:here") is None

    run(test)


@pytest.mark.root
def test_a_command_runs_in_a_container_to_its_exit_code(run: Run) -> None:
    async def test(runtime: Runtime) -> None:
        container_id = await container_of(runtime, await sandbox_of(runtime), "sleep", "1000")
        await runtime.start(container_id)
        assert (await runtime.execute(container_id, ["true"], 10)).exit_code == 0
        assert (await runtime.execute(container_id, ["false"], 10)).exit_code == 1

    run(test)
