"""Fake: a runtime in memory, for tests of what stands above it. The contract suite holds it to what Docker does.

It knows three programs: `true` and `false` end at once, `sleep` runs until it is killed (as the first process of a container it
ignores SIGTERM). Any other cannot be run. `end` ends a container from outside, as a crash would.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kubelet.runtime.docker_config import newest_first
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
    SandboxSpec,
    Session,
)

EXIT_CODES = {"true": 0, "false": 1}
KILLED = 137
FIRST_PID = 1000


class FakeRuntime:
    """See `Runtime`."""

    def __init__(self, images: Sequence[str] = ()) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.changes: asyncio.Queue[str] = asyncio.Queue()
        self._images = {name: Image(f"sha256:{name}", (name,), 1) for name in images}
        self._records: dict[str, RuntimeContainer] = {}
        self._programs: dict[str, str] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def info(self) -> EngineInfo:
        return EngineInfo("fake", "1", "cgroupfs")

    async def containers(self, uid: str = "") -> list[RuntimeContainer]:
        return newest_first(one for one in self._records.values() if uid in ("", one.pod.uid))

    async def holders(self) -> list[Holder]:
        return [Holder(one.pod.uid, one.image_id) for one in self._records.values()]

    async def create_sandbox(self, spec: SandboxSpec) -> str:
        record = RuntimeContainer("", spec.pod, "POD", spec.attempt, "created", _now(), is_sandbox=True, labels=spec.labels)
        return self._add(record, "sleep")

    async def create_container(self, spec: ContainerSpec) -> str:
        if spec.image not in self._images:
            raise RuntimeFailure(f"No such image: {spec.image}")
        for known in list(self._records.values()):
            if (known.pod, known.name, known.attempt) == (spec.pod, spec.name, spec.attempt):
                del self._records[known.id]
        record = RuntimeContainer(
            "", spec.pod, spec.name, spec.attempt, "created", _now(), sandbox_id=spec.sandbox_id, image=spec.image,
            image_id=self._images[spec.image].id, labels=spec.labels, stop_signal=spec.stop_signal,
            limits=spec.limits,
        )  # fmt: skip
        return self._add(record, (*spec.command, *spec.args, "true")[0])

    def _add(self, record: RuntimeContainer, program: str) -> str:
        container_id = f"{next(self._numbers):064x}"
        self._records[container_id] = replace(record, id=container_id)
        self._programs[container_id] = program
        self._ended[container_id] = asyncio.Event()
        return container_id

    async def start(self, container_id: str) -> None:
        program = self._programs[container_id]
        if program not in (*EXIT_CODES, "sleep"):
            self._change(container_id, state="exited", exit_code=127, reason="ContainerCannotRun", finished_at=_now())
            raise RuntimeFailure(f'exec: "{program}": executable file not found in $PATH')
        self._change(container_id, state="running", started_at=_now(), pid=FIRST_PID + len(self._records))
        if program in EXIT_CODES:
            self.end(container_id, EXIT_CODES[program])

    def end(self, container_id: str, exit_code: int) -> None:
        """The container's process ends."""
        reason = "Completed" if exit_code == 0 else "Error"
        self._change(container_id, state="exited", exit_code=exit_code, reason=reason, finished_at=_now(), pid=0)
        self._ended[container_id].set()
        self.changes.put_nowait(self._records[container_id].pod.uid)

    def _change(self, container_id: str, **fields: object) -> None:
        self._records[container_id] = replace(self._records[container_id], **fields)  # type: ignore[arg-type]

    async def inspect(self, container_id: str) -> RuntimeContainer:
        if container_id not in self._records:
            raise ContainerGone(f"No such container: {container_id}")
        return self._records[container_id]

    async def signal(self, container_id: str, signal: str) -> None:
        record = self._records.get(container_id)
        if record is not None and record.running and signal == "SIGKILL":
            self.end(container_id, KILLED)

    async def wait_ended(self, container_id: str) -> None:
        record = self._records.get(container_id)
        if record is not None and record.running:
            await self._ended[container_id].wait()

    async def remove(self, container_id: str) -> None:
        await self.signal(container_id, "SIGKILL")
        self._records.pop(container_id, None)

    async def update(self, container_id: str, limits: Limits) -> None:
        self._change(container_id, limits=limits)

    async def execute(self, container_id: str, argv: Sequence[str], within: float | None) -> ExecResult:
        return ExecResult(EXIT_CODES.get(argv[0], 126), b"")

    async def exec_session(self, container_id: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> Session:
        raise RuntimeFailure("the fake has no streams")

    async def attach_session(self, container_id: str, *, stdin: bool) -> Session:
        raise RuntimeFailure("the fake has no streams")

    async def image(self, name: str) -> Image | None:
        return self._images.get(name.removesuffix(":latest")) or self._images.get(name)

    async def images(self) -> list[Image]:
        return list(self._images.values())

    async def pull(self, name: str, auth: Mapping[str, str] | None) -> None:
        raise ImageUnavailable(f"there is no registry for {name}")

    async def remove_image(self, image_id: str) -> None:
        self._images = {name: one for name, one in self._images.items() if one.id != image_id}


def _now() -> datetime:
    return datetime.now(UTC)
