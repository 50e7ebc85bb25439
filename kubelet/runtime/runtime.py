"""Runtime: what the kubelet asks of a container engine, in the kubelet's own words.

A pod is a *sandbox* (a container that sleeps and holds the pod's network and IPC namespaces) and containers that join it.
Every record carries the pod's name, namespace and uid as labels, so that a new kubelet finds its containers again.
The promises that `tests/node/kubelet` hold every runtime to:
- a call that was begun is finished, also where the caller is cancelled: nothing is made behind the kubelet's back;
- `changes` tells of every death, once the record says so, and of a lost connection (an empty uid: look at everything again).
Modelled on the Container Runtime Interface. https://kubernetes.io/docs/concepts/containers/cri/
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol


class RuntimeFailure(Exception):
    """The engine refused, in its own words."""


class RuntimeUnavailable(RuntimeFailure):
    """The engine does not answer."""


class ContainerGone(RuntimeFailure):
    """There is no such container."""


class ImageUnavailable(RuntimeFailure):
    """An image could not be pulled."""


@dataclass(frozen=True)
class PodIdentity:
    """Whose container it is."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Mount:
    source: str  # a path of the host
    target: str  # a path in the container
    read_only: bool = False
    propagation: str = ""  # "", "rslave" or "rshared"


@dataclass(frozen=True)
class Device:
    source: str  # of the host
    target: str  # in the container
    rights: str = "rwm"  # read, write, make


@dataclass(frozen=True)
class Limits:
    cpu_shares: int = 0  # 0: the engine's default
    cpu_quota: int = 0  # microseconds in every 100 ms; 0: unlimited
    memory: int = 0  # bytes; 0: unlimited
    oom_score_adj: int = 0


@dataclass(frozen=True)
class Security:
    """The effective security context of one container."""

    user: str = ""  # "uid" or "uid:gid"
    groups: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    privileged: bool = False
    read_only_root: bool = False
    no_new_privileges: bool = False
    seccomp: str = ""  # "": the engine's default; "unconfined"; or a profile's JSON text
    apparmor: str = ""  # "": the engine's default; "unconfined"; or a profile that the host has loaded
    unmasked_proc: bool = False


@dataclass(frozen=True)
class LogPolicy:
    max_size: int = 10 << 20  # bytes of one file
    max_files: int = 5  # of a container, with the one that is written


@dataclass(frozen=True)
class SandboxSpec:
    pod: PodIdentity
    attempt: int
    image: str
    hostname: str
    cgroup_parent: str
    labels: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    sysctls: Mapping[str, str] = field(default_factory=dict)
    handler: str = ""  # of the pod's runtime class; "": the engine's default


@dataclass(frozen=True)
class ContainerSpec:
    pod: PodIdentity
    name: str
    attempt: int
    image: str  # what the pod names
    sandbox_id: str
    cgroup_parent: str
    labels: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()  # replaces the image's entrypoint
    args: tuple[str, ...] = ()  # replaces the image's command
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    limits: Limits = field(default_factory=Limits)
    security: Security = field(default_factory=Security)
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    pid_mode: str = ""  # "", "host", "sandbox" (a process namespace shared by the pod), or "container:<id>"
    host_ipc: bool = False
    handler: str = ""
    stop_signal: str = ""
    log_policy: LogPolicy = field(default_factory=LogPolicy)


@dataclass(frozen=True)
class RuntimeContainer:
    """A container or sandbox as the engine has it now."""

    id: str
    pod: PodIdentity
    name: str
    attempt: int
    state: Literal["created", "running", "exited"]
    created_at: datetime
    is_sandbox: bool = False
    sandbox_id: str = ""
    image: str = ""
    image_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    reason: str = ""  # Completed, Error, OOMKilled, ContainerCannotRun
    message: str = ""
    log_path: str = ""
    writable_layer: str = ""  # the directory of what it wrote beside its image
    tty: bool = False
    stop_signal: str = ""
    limits: Limits | None = None  # what it has now; None where the engine does not say

    @property
    def running(self) -> bool:
        return self.state == "running"


class Holder(NamedTuple):
    """Why something of a pod, or an image, has to stay."""

    uid: str  # of the pod
    image_id: str


@dataclass(frozen=True)
class Image:
    id: str
    tags: tuple[str, ...]
    size: int  # bytes
    user: str = ""
    digests: tuple[str, ...] = ()
    stop_signal: str = ""
    layers: tuple[str, ...] = ()  # its directories of the host, the top one first; empty where the engine does not say

    def digest_for(self, name: str) -> str:
        """`repository@sha256:...`, of the repository that is named where there are several; empty if it is of no registry."""
        return next((one for one in self.digests if name.startswith(one.partition("@")[0])), "".join(self.digests[:1]))


@dataclass(frozen=True)
class EngineInfo:
    name: str  # docker
    version: str
    cgroup_driver: str  # cgroupfs or systemd
    data_root: str = ""  # where it keeps images and containers


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    output: bytes  # stdout and stderr as they came


class Session(Protocol):
    """A running exec or attach: bytes to its stdin, frames from it."""

    def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """(1, stdout) or (2, stderr), until the process closes them."""

    async def send(self, data: bytes) -> None: ...
    async def close_stdin(self) -> None: ...
    async def resize(self, width: int, height: int) -> None: ...
    async def exit_code(self) -> int: ...
    def close(self) -> None: ...


class Runtime(Protocol):
    async def run(self) -> None:
        """Keep the connection, and feed `changes`, until cancelled."""

    @property
    def connected(self) -> asyncio.Event:
        """Set while the engine answers."""

    @property
    def changes(self) -> "asyncio.Queue[str]":
        """Uids of pods of which something ended; an empty one means any."""

    async def info(self) -> EngineInfo: ...

    async def containers(self, uid: str = "") -> list[RuntimeContainer]:
        """Sandboxes and containers of one pod, or of all pods, ended ones too, the newest attempt first."""

    async def holders(self) -> list[Holder]:
        """One for every container and sandbox there is, ended ones too. Cheap: none is looked at by itself."""

    async def create_sandbox(self, spec: SandboxSpec) -> str: ...
    async def create_container(self, spec: ContainerSpec) -> str: ...
    async def start(self, container_id: str) -> None: ...
    async def inspect(self, container_id: str) -> RuntimeContainer: ...

    async def signal(self, container_id: str, signal: str) -> None:
        """Signal the first process; nothing happens where the container has ended."""

    async def wait_ended(self, container_id: str) -> None:
        """Return once the container does not run (any more)."""

    async def remove(self, container_id: str) -> None:
        """Remove a container, running or not; one that is gone is no error."""

    async def update(self, container_id: str, limits: Limits) -> None: ...

    async def execute(self, container_id: str, argv: Sequence[str], within: float | None) -> ExecResult:
        """Run a command to its end. Raises TimeoutError after `within` seconds (None: no limit), and ends the command then."""

    async def exec_session(self, container_id: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> Session: ...
    async def attach_session(self, container_id: str, *, stdin: bool) -> Session: ...

    async def image(self, name: str) -> Image | None: ...
    async def images(self) -> list[Image]: ...

    async def pull(self, name: str, auth: Mapping[str, str] | None) -> None:
        """Raises ImageUnavailable."""

    async def remove_image(self, image_id: str) -> None: ...
