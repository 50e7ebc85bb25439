"""Docker: the runtime that runs pods as Docker containers; the only module that talks to the Docker SDK.

Calls go through the SDK in threads of a small pool; events come from one thread that holds the engine's event stream; exec and
attach are raw asyncio streams. Nothing polls: while the engine is away, one thread tries to reach it with a growing pause.
https://docs.docker.com/reference/api/engine/
"""

import asyncio
import os
import signal as signals
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
import requests
from docker import utils as docker_utils
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from kube.component.logging import get_logger
from kubelet.runtime import capabilities, docker_config
from kubelet.runtime.docker_stream import HijackedSession, hijack
from kubelet.runtime.runtime import (
    ContainerGone,
    ContainerSpec,
    EngineInfo,
    ExecResult,
    Holder,
    Image,
    ImageUnavailable,
    Limits,
    RuntimeContainer,
    RuntimeFailure,
    RuntimeUnavailable,
    SandboxSpec,
)

log = get_logger("kubelet.docker")
T = TypeVar("T")

THREADS = 8  # calls in flight; a start takes one for its 0.1 s
MOST_OUTPUT = 16 << 20  # bytes of a command's that are kept: what the Container Runtime Interface's ExecSync gives
CALL_SECONDS = 120  # an engine that has not answered by then hangs
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # the pauses between attempts; the last one repeats
EVENTS = {"type": ["container"], "event": ["die", "oom", "destroy"], "label": [docker_config.POD_UID]}


class DockerRuntime:
    """See `Runtime`."""

    def __init__(self, endpoint: str) -> None:
        self._socket = endpoint.removeprefix("unix://")
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")
        self._events_pool = ThreadPoolExecutor(1, thread_name_prefix="docker-events")
        self._api: docker.APIClient | None = None
        self._stream: Any = None
        self._waiters: dict[str, asyncio.Event] = {}
        self.capabilities = capabilities.of_this_process()
        self.connected = asyncio.Event()
        self.on_connection: Callable[[], None] = _nothing  # is called when the engine comes or goes
        self.changes: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        try:
            while True:
                try:
                    self._api = await loop.run_in_executor(self._events_pool, self._connect)
                    self._stream = await loop.run_in_executor(self._events_pool, self._subscribe)
                    failures = 0
                    self._connection_is(True)
                    await loop.run_in_executor(self._events_pool, self._follow, loop)
                except (DockerException, requests.RequestException, OSError) as error:
                    log.warning("container engine does not answer", endpoint=self._socket, reason=str(error))
                self._connection_is(False)
                await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1
        finally:
            if self._stream is not None:
                self._stream.close()
            self._events_pool.shutdown(wait=False)
            self._pool.shutdown(wait=False)

    def _connect(self) -> docker.APIClient:
        return docker.APIClient(base_url=f"unix://{self._socket}", version="auto", timeout=CALL_SECONDS)

    def _subscribe(self) -> Any:
        return self._api.events(decode=True, filters=EVENTS)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """In the event thread: hand every event to the loop, until the connection ends."""
        for event in self._stream:
            loop.call_soon_threadsafe(self._on_event, event)

    def _on_event(self, event: dict[str, Any]) -> None:
        actor = event.get("Actor") or {}
        waiter = self._waiters.get(actor.get("ID", ""))
        if waiter is not None:
            waiter.set()
        self.changes.put_nowait((actor.get("Attributes") or {}).get(docker_config.POD_UID, ""))

    def _connection_is(self, up: bool) -> None:
        if not up:
            if self.connected.is_set():
                self.connected.clear()
                self.on_connection()
            return
        self.connected.set()
        self.on_connection()
        self.changes.put_nowait("")  # what ended in between was not told
        for waiter in self._waiters.values():
            waiter.set()

    async def _call(self, function: Callable[[docker.APIClient], T]) -> T:
        """One call in a thread. It is waited for even when the caller is cancelled: nothing is made behind our back."""
        if self._api is None:
            raise RuntimeUnavailable(f"the container engine at {self._socket} does not answer")
        call = asyncio.get_running_loop().run_in_executor(self._pool, _translated, function, self._api)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await asyncio.wait([call])
            raise

    async def info(self) -> EngineInfo:
        tree = await self._call(lambda api: api.info())
        return EngineInfo("docker", tree["ServerVersion"], tree["CgroupDriver"], tree.get("DockerRootDir") or "")

    async def containers(self, uid: str = "") -> list[RuntimeContainer]:
        label = f"{docker_config.POD_UID}={uid}" if uid else docker_config.POD_UID

        def look(api: docker.APIClient) -> list[RuntimeContainer]:
            found = []
            for row in api.containers(all=True, filters={"label": label}):
                try:
                    found.append(docker_config.record(api.inspect_container(row["Id"])))
                except NotFound:
                    continue  # removed since it was listed
            return docker_config.newest_first(found)

        return await self._call(look)

    async def holders(self) -> list[Holder]:
        rows = await self._call(lambda api: api.containers(all=True, filters={"label": docker_config.POD_UID}))
        return [Holder(row["Labels"][docker_config.POD_UID], row["ImageID"]) for row in rows]

    async def create_sandbox(self, spec: SandboxSpec) -> str:
        name = docker_config.container_name(spec.pod, docker_config.SANDBOX_NAME, spec.attempt)
        return await self._create(name, docker_config.sandbox_body(spec))

    async def create_container(self, spec: ContainerSpec) -> str:
        name = docker_config.container_name(spec.pod, spec.name, spec.attempt)
        return await self._create(name, docker_config.container_body(spec, self.capabilities))

    async def _create(self, name: str, body: dict[str, Any]) -> str:
        def create(api: docker.APIClient) -> str:
            try:
                return str(api.create_container_from_config(body, name)["Id"])  # type: ignore[no-untyped-call]
            except APIError as error:
                if error.status_code != 409:
                    raise
            # Left by a kubelet that ended between creating and starting; this attempt was never told to anyone.
            api.remove_container(name, force=True, v=True)
            return str(api.create_container_from_config(body, name)["Id"])  # type: ignore[no-untyped-call]

        return await self._call(create)

    async def start(self, container_id: str) -> None:
        await self._call(lambda api: api.start(container_id))

    async def inspect(self, container_id: str) -> RuntimeContainer:
        return docker_config.record(await self._call(lambda api: api.inspect_container(container_id)))

    async def signal(self, container_id: str, signal: str) -> None:
        def kill(api: docker.APIClient) -> None:
            try:
                api.kill(container_id, signal)
            except APIError as error:
                if error.status_code not in (404, 409):  # gone, or not running
                    raise

        await self._call(kill)

    async def wait_ended(self, container_id: str) -> None:
        while True:
            waiter = self._waiters.setdefault(container_id, asyncio.Event())
            try:
                if not await self._runs(container_id):
                    return
                await waiter.wait()
            finally:
                self._waiters.pop(container_id, None)
                waiter.set()  # another who waits for the same container looks again, and makes a new waiter

    async def _runs(self, container_id: str) -> bool:
        try:
            return (await self.inspect(container_id)).running
        except ContainerGone:
            return False
        except RuntimeUnavailable:
            return True  # looked at again when the engine is back

    async def remove(self, container_id: str) -> None:
        try:
            await self._call(lambda api: api.remove_container(container_id, force=True, v=True))
        except ContainerGone:
            return

    async def update(self, container_id: str, limits: Limits) -> None:
        def change(api: docker.APIClient) -> None:
            memory, quota = limits.memory or None, limits.cpu_quota or None
            period = docker_config.QUOTA_PERIOD if quota else None
            api.update_container(
                container_id,
                cpu_shares=limits.cpu_shares or None,
                cpu_quota=quota,
                cpu_period=period,
                mem_limit=memory,
                memswap_limit=memory,
            )

        await self._call(change)

    async def execute(self, container_id: str, argv: Sequence[str], within: float | None) -> ExecResult:
        exec_id = await self._create_exec(container_id, argv, stdin=False, tty=False)
        session = await self._session(exec_id, tty=False)
        output = bytearray()
        try:
            async with asyncio.timeout(within):
                async for _, data in session.frames():
                    output += data[: MOST_OUTPUT - len(output)]
                return ExecResult(await session.exit_code(), bytes(output))
        except (TimeoutError, asyncio.CancelledError):
            await self._end_exec(exec_id)
            raise
        finally:
            session.close()

    async def exec_session(self, container_id: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> HijackedSession:
        return await self._session(await self._create_exec(container_id, argv, stdin=stdin, tty=tty), tty=tty)

    async def attach_session(self, container_id: str, *, stdin: bool) -> HijackedSession:
        container = await self.inspect(container_id)
        url = f"/containers/{container_id}/attach?stream=1&stdout=1&stderr=1&stdin={int(stdin)}"

        async def exit_code() -> int:
            return (await self.inspect(container_id)).exit_code

        async def resize(width: int, height: int) -> None:
            await self._call(lambda api: api.resize(container_id, height, width))

        return HijackedSession(await hijack(self._socket, url, {}), tty=container.tty, exit_code=exit_code, resize=resize)

    async def _create_exec(self, container_id: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> str:
        created = await self._call(
            lambda api: api.exec_create(container_id, list(argv), stdin=stdin, tty=tty, stdout=True, stderr=not tty)
        )
        return str(created["Id"])

    async def _session(self, exec_id: str, *, tty: bool) -> HijackedSession:
        async def exit_code() -> int:
            return int((await self._call(lambda api: api.exec_inspect(exec_id)))["ExitCode"] or 0)

        async def resize(width: int, height: int) -> None:
            await self._call(lambda api: api.exec_resize(exec_id, height=height, width=width))

        streams = await hijack(self._socket, f"/exec/{exec_id}/start", {"Detach": False, "Tty": tty})
        return HijackedSession(streams, tty=tty, exit_code=exit_code, resize=resize)

    async def _end_exec(self, exec_id: str) -> None:
        """The engine cannot end an exec; its process has a pid of the host."""
        pid = (await self._call(lambda api: api.exec_inspect(exec_id))).get("Pid")
        if pid:
            try:
                os.kill(pid, signals.SIGKILL)
            except ProcessLookupError:
                return

    async def image(self, name: str) -> Image | None:
        def look(api: docker.APIClient) -> Image | None:
            try:
                return _image(api.inspect_image(name))  # type: ignore[no-untyped-call]
            except (ImageNotFound, NotFound):
                return None

        return await self._call(look)

    async def images(self) -> list[Image]:
        rows = await self._call(lambda api: api.images())
        return [_listed(row) for row in rows]

    async def pull(self, name: str, auth: Mapping[str, str] | None) -> None:
        def pull(api: docker.APIClient) -> None:
            repository, tag = docker_utils.parse_repository_tag(name)
            for line in api.pull(repository, tag or "latest", stream=True, decode=True, auth_config=dict(auth) if auth else None):
                if "error" in line:
                    raise ImageUnavailable(line["error"])

        try:
            await self._call(pull)
        except RuntimeUnavailable:
            raise
        except RuntimeFailure as error:
            raise ImageUnavailable(str(error)) from error

    async def remove_image(self, image_id: str) -> None:
        """Name by name: the engine refuses by id what has several, and forced it would take it from other people's containers."""

        def remove(api: docker.APIClient) -> None:
            image = _image(api.inspect_image(image_id))  # type: ignore[no-untyped-call]
            for name in image.tags or image.digests or (image_id,):
                api.remove_image(name)

        await self._call(remove)


def _nothing() -> None:
    """Nobody wants to know."""


def _translated(function: Callable[[docker.APIClient], T], api: docker.APIClient) -> T:
    """In the thread: the SDK's errors become the runtime's."""
    try:
        return function(api)
    except NotFound as error:
        raise ContainerGone(error.explanation or str(error)) from error
    except APIError as error:
        raise RuntimeFailure(error.explanation or str(error)) from error
    except (DockerException, requests.RequestException) as error:
        raise RuntimeUnavailable(str(error)) from error


def _listed(row: dict[str, Any]) -> Image:
    """Of the list: images without a name have the name <none>."""
    names = [[one for one in row.get(field) or () if "<none>" not in one] for field in ("RepoTags", "RepoDigests")]
    return Image(row["Id"], tuple(names[0]), row["Size"], digests=tuple(names[1]))


def _image(tree: dict[str, Any]) -> Image:
    config = tree.get("Config") or {}
    return Image(
        id=tree["Id"],
        tags=tuple(tree.get("RepoTags") or ()),
        size=tree.get("Size", 0),
        user=config.get("User") or "",
        digests=tuple(tree.get("RepoDigests") or ()),
        stop_signal=config.get("StopSignal") or "",
        layers=_layers(tree.get("GraphDriver") or {}),
    )


def _layers(driver: dict[str, Any]) -> tuple[str, ...]:
    data = driver.get("Data") or {}
    if driver.get("Name") != "overlay2" or not data.get("UpperDir"):
        return ()
    return (data["UpperDir"], *filter(None, (data.get("LowerDir") or "").split(":")))
