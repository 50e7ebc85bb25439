"""Lifecycle: the effects of one pod: its sandbox, network, volumes, containers and files, made and undone.

What a plan says is done here, step by step; what was decided, and when, is the worker's.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kube.api.meta import key_of
from kube.api.types import Pod
from kube.component.clock import Clock
from kubelet import name_files
from kubelet.cgroups import Cgroups
from kubelet.container_error import ConfigError
from kubelet.container_spec import Surroundings, identity, sandbox_spec
from kubelet.container_start import ContainerStart
from kubelet.container_stop import ContainerStop
from kubelet.devices.manager import DeviceManager
from kubelet.downward import PodFacts
from kubelet.images import Images
from kubelet.log_keeper import LogKeeper
from kubelet.metrics import FAILED_SANDBOXES, STARTED_SANDBOXES
from kubelet.node_facts import NodeFacts
from kubelet.objects import PodObjects
from kubelet.plan import StartContainer
from kubelet.pod_events import NORMAL, WARNING, PodEvents
from kubelet.pod_files import PodFiles
from kubelet.pod_network import Network, NetworkFailure, bandwidth, host_ports
from kubelet.pod_state import Observed, every_container
from kubelet.pod_volumes import NOTHING_MOUNTED, MountedVolumes, PodVolumes
from kubelet.runtime.runtime import Limits, Runtime, RuntimeContainer, RuntimeFailure
from kubelet.termination_message import termination_message
from kubelet.volume_wait import VolumeWait, reason
from kubelet.volumes.volume import VolumeError


@dataclass(frozen=True)
class Tools:
    """What every pod's lifecycle works with; one of each on a node."""

    runtime: Runtime
    network: Network
    images: Images
    start: ContainerStart
    stop: ContainerStop
    volumes: PodVolumes
    objects: PodObjects
    cgroups: Cgroups
    logs: LogKeeper
    events: PodEvents
    clock: Clock
    node: NodeFacts
    devices: DeviceManager


class Lifecycle:
    def __init__(self, pod: Pod, tools: Tools) -> None:
        self._tools = tools
        self.runtime = tools.runtime
        self.clock = tools.clock
        self.images = tools.images
        self.events = tools.events
        self.node = tools.node
        self.files = PodFiles(tools.node.root, tools.node.log_root, identity(pod))
        self.ip = ""
        self._connecting = asyncio.Lock()
        self._volumes: MountedVolumes | None = None
        self._stale = False
        self._wait = VolumeWait()
        self._messages: dict[str, str] = {}  # by container id: an ended container's last words do not change

    # --- looking -----------------------------------------------------------------------------------------------------

    async def records(self, pod: Pod) -> list[RuntimeContainer]:
        """The engine's records of the pod, ended ones with their last words."""
        found = await self.runtime.containers(pod.metadata.uid)
        for one in found:
            if not one.is_sandbox:
                self._tools.logs.follow(one)
        return [self._with_message(one) if one.state == "exited" and not one.is_sandbox else one for one in found]

    def _with_message(self, record: RuntimeContainer) -> RuntimeContainer:
        if record.id not in self._messages:
            path = self.files.termination_message(record.name, record.attempt)
            self._messages[record.id] = termination_message(record, path)
        return replace(record, message=self._messages[record.id])

    async def address(self, pod: Pod, sandbox: RuntimeContainer | None) -> str:
        """The pod's address; a sandbox that an earlier kubelet left running is connected already."""
        if sandbox is None or not sandbox.running:
            self.ip = ""
        elif not self.ip and pod.spec.hostNetwork:
            self.ip = self.node.addresses[0] if self.node.addresses else ""
        elif not self.ip and self._tools.network.ready:
            try:
                self.ip = await self._connect(pod, sandbox)
            except NetworkFailure:
                return ""  # the sandbox is being connected, or its connection is lost: told when a start needs it
        return self.ip

    @property
    def volumes_ready(self) -> bool:
        return self._volumes is not None

    @property
    def volumes_due(self) -> bool:
        """Whether the volumes want to be set up (again), now."""
        now = self.clock.now()
        if self._wait.retry_at is not None and now < self._wait.retry_at:
            return False
        refresh_at = self._volumes.refresh_at if self._volumes is not None else None
        return self._volumes is None or self._stale or (refresh_at is not None and now >= refresh_at)

    @property
    def wake_at(self) -> datetime | None:
        refresh_at = self._volumes.refresh_at if self._volumes is not None else None
        return self._wait.retry_at or refresh_at

    def pod_changed(self, old: Pod, new: Pod) -> None:
        """What files may show of the pod: its labels and annotations, and what its containers may use."""
        before, after = old.metadata, new.metadata
        if (before.labels, before.annotations, old.spec.containers) != (after.labels, after.annotations, new.spec.containers):
            self.volumes_are_stale()

    def volumes_are_stale(self) -> None:
        self._stale = True
        self._wait.now()

    @property
    def in_post_start(self) -> frozenset[str]:
        return frozenset(self._tools.start.in_post_start)

    def tell(self, pod: Pod, reason: str, message: str) -> None:
        self.events.event(pod, NORMAL, reason, message)

    # --- making ------------------------------------------------------------------------------------------------------

    async def prepare(self, pod: Pod, attempt: int | None) -> None:
        """A new sandbox, if an attempt is given, and the volumes beside it. Raises RuntimeFailure, NotAllocated."""
        await self._tools.devices.allocate(pod)
        self._tools.objects.follow(pod)
        await asyncio.to_thread(self._make_files, pod)
        if attempt is None:
            await self._set_up_volumes(pod)
            return
        if attempt:
            self.tell(pod, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        if not self._tools.network.ready and not pod.spec.hostNetwork:
            message = "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
            self.events.event(pod, WARNING, "NetworkNotReady", message)
            raise RuntimeFailure(message)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._set_up_volumes(pod))
            sandbox = together.create_task(self._made_sandbox(pod, attempt))
        failure = sandbox.result()
        STARTED_SANDBOXES.inc()
        if failure is not None:
            FAILED_SANDBOXES.inc()
            self.events.event(pod, WARNING, "FailedCreatePodSandBox", f"Failed to create pod sandbox: {failure}")
            raise failure

    def _make_files(self, pod: Pod) -> None:
        self.files.make()
        self._tools.cgroups.make(pod)

    async def _made_sandbox(self, pod: Pod, attempt: int) -> RuntimeFailure | None:
        """A failure is a result: it must not cut short the volumes."""
        try:
            async with self._tools.start.slots:
                spec = sandbox_spec(pod, attempt, self.node, await self._tools.objects.runtime_handler(pod))
                sandbox_id = await self.runtime.create_sandbox(spec)
                await self.runtime.start(sandbox_id)
        except (RuntimeFailure, VolumeError, name_files.NameTooLong) as error:
            return error if isinstance(error, RuntimeFailure) else RuntimeFailure(str(error))
        try:
            await self._connect_and_name(pod, await self.runtime.inspect(sandbox_id))
        except (RuntimeFailure, NetworkFailure, OSError) as error:
            await self.runtime.remove(sandbox_id)
            return RuntimeFailure(f"failed to set up network for sandbox: {error}")
        return None

    async def _connect_and_name(self, pod: Pod, sandbox: RuntimeContainer) -> None:
        if pod.spec.hostNetwork:
            self.ip = self.node.addresses[0] if self.node.addresses else ""
        else:
            self.ip = await self._connect(pod, sandbox)
        await asyncio.to_thread(self._write_names, pod)

    async def _connect(self, pod: Pod, sandbox: RuntimeContainer) -> str:
        """One at a time: a start and an observation may both find the sandbox unconnected, and a failure of one undoes both."""
        async with self._connecting:
            return await self._tools.network.setup(
                key_of(pod), pod.metadata.uid, sandbox.pid, host_ports=host_ports(pod), bandwidth=bandwidth(pod)
            )

    def _write_names(self, pod: Pod) -> None:
        domain = self.node.cluster_domain
        host = name_files.parse_resolver(_text(self.node.resolv_conf))
        resolver = name_files.pod_resolver(pod, host, self.node.cluster_dns, domain)
        self.files.resolv_conf.write_text(resolver.text())
        self.files.etc_hosts.write_text(name_files.hosts(pod, self.ip, domain, _text(name_files.HOST_FILE)))
        self.files.hostname.write_text(name_files.kernel_hostname(pod, domain) + "\n")

    async def _set_up_volumes(self, pod: Pod) -> None:
        """A volume that cannot be had is told and tried again later; the containers wait for it."""
        try:
            objects = await self._tools.objects.get(pod)
            self._volumes = await self._tools.volumes.set_up(pod, self.files, objects, self._facts())
        except VolumeError as error:
            for message in self._wait.failed(error, self.clock.now()):
                self.events.event(pod, WARNING, reason(message), message)
            return
        self._stale = False
        self._wait.succeeded()

    def _facts(self) -> PodFacts:
        return PodFacts((self.ip,) if self.ip else (), self.node.addresses, self.node.allocatable)

    async def start_container(self, pod: Pod, action: StartContainer, observed: Observed) -> str:
        try:
            objects = await self._tools.objects.get(pod)
            handler = await self._tools.objects.runtime_handler(pod)
            services = await self._tools.objects.service_variables(pod)
        except VolumeError as error:
            raise ConfigError(str(error)) from error
        around = Surroundings(
            sandbox_id=observed.sandbox.id,
            volumes=self._volumes if self._volumes is not None else NOTHING_MOUNTED,
            objects=objects,
            services=services,
            facts=self._facts(),
            runtime_handler=handler,
            running={one.name: one.id for one in reversed(observed.running())},
            granted=await self._tools.devices.granted(pod, action.container),
        )
        return await self._tools.start.start(pod, action.container, action.attempt, around, self.files)

    # --- undoing -----------------------------------------------------------------------------------------------------

    async def stop_container(self, pod: Pod, record: RuntimeContainer, deadline: datetime, message: str) -> None:
        container = next((one for one in every_container(pod) if one.name == record.name), None)
        await self._tools.stop.stop(pod, container, record, deadline, message, self.ip)

    async def stop_sandbox(self, sandbox_id: str) -> None:
        await self.runtime.signal(sandbox_id, "SIGKILL")
        await self.runtime.wait_ended(sandbox_id)

    async def resize(self, pod: Pod, container_id: str, limits: Limits) -> None:
        """The pod's cgroup holds its containers': it grows before them, and shrinks after them."""
        await asyncio.to_thread(self._tools.cgroups.make, pod)
        await self.runtime.update(container_id, limits)
        await asyncio.to_thread(self._tools.cgroups.make, pod)

    async def remove(self, record: RuntimeContainer) -> None:
        await self.runtime.remove(record.id)
        self._messages.pop(record.id, None)
        await self._tools.logs.forget([record.id])
        await asyncio.to_thread(self.files.forget_attempt, record.name, record.attempt)

    async def release(self, pod: Pod) -> None:
        """Nothing runs: give back the address, the volumes and the cgroup; records and logs stay."""
        await self._tools.network.teardown(pod.metadata.uid)
        await self._tools.volumes.tear_down(pod, self.files)
        self._volumes = None
        self._tools.objects.release(pod.metadata.uid)
        self._tools.devices.release(pod.metadata.uid)
        self._tools.images.forget(pod)
        await asyncio.to_thread(self._tools.cgroups.remove, pod)

    async def remove_all(self, pod: Pod) -> None:
        records = await self.runtime.containers(pod.metadata.uid)
        for record in records:
            await self.runtime.remove(record.id)
        await self._tools.logs.forget([record.id for record in records])
        await asyncio.to_thread(self.files.remove)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
