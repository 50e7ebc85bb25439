"""Kubelet: puts the parts together and keeps them running.

    pod_source ─▶ pod_workers ─▶ pod_worker (one a pod) ─▶ plan ─▶ lifecycle ─▶ runtime, network, volumes
                                      └─▶ status ─▶ status_manager ─▶ API server
    node_agent: the Node object, its lease, the pod range         server: logs, exec, stats on port 10250

Without a kubeconfig only static pods run, on the range that --pod-cidr names.
https://kubernetes.io/docs/concepts/architecture/#kubelet
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from kube.api.late import late
from kube.api.meta import Tree
from kube.api.types import Node, Pod, Service
from kube.client import kubeconfig
from kube.client.events import EventRecorder
from kube.client.informer import Informer
from kube.client.rest import Client
from kube.component.clock import SystemClock
from kube.component.health import Check, Health, always_well
from kube.component.http_server import serve
from kube.component.logging import get_logger
from kube.component.run import StartupError
from kube.component.tls import server_tls
from kubelet import metrics
from kubelet.admission import Admission
from kubelet.cgroups import Cgroups
from kubelet.claimed_usage import ClaimedUsage
from kubelet.claims import AskedClaims, Claims, NoClaims, names_claim
from kubelet.cleanup import cleanup
from kubelet.config import KubeletConfig, seconds, with_file
from kubelet.configz import configuration
from kubelet.container_start import ContainerStart
from kubelet.container_stop import ContainerStop
from kubelet.csi.plugins import Plugins
from kubelet.devices.manager import DeviceManager
from kubelet.eviction_manager import node_about
from kubelet.hooks import Hooks
from kubelet.http_get import HttpGet
from kubelet.images import Images
from kubelet.leftovers import Leftovers
from kubelet.lifecycle import Tools
from kubelet.log_keeper import LogKeeper
from kubelet.manifest_url import ManifestUrl, Together
from kubelet.mirror_pods import MirrorPods
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.policies import Policies
from kubelet.network.policy import Peer
from kubelet.node_agent import NodeAgent
from kubelet.node_info import read_machine
from kubelet.node_setup import built_network, built_routes, built_shutdown, facts_of, identity_of, logins_for
from kubelet.objects import NoObjects, WatchedObjects, no_token
from kubelet.pod_events import LoggedEvents, PodEvents, RecordedEvents
from kubelet.pod_range import PodRange
from kubelet.pod_source import PodSource
from kubelet.pod_volumes import PodVolumes
from kubelet.pod_workers import PodWorkers
from kubelet.pressure import NodePressure
from kubelet.probes.prober import Prober
from kubelet.probes.question import Asking
from kubelet.pulled_images import PulledImages
from kubelet.runtime.capabilities import NAMES
from kubelet.runtime.docker import DockerRuntime
from kubelet.runtime.runtime import EngineInfo
from kubelet.samples import Sampler
from kubelet.security import has_apparmor
from kubelet.server import KubeletServer
from kubelet.server_auth import ServerAuth
from kubelet.static_pods import StaticPods
from kubelet.status_manager import StatusManager
from kubelet.volumes import volume_types
from kubelet.volumes.volume import VolumeType

if TYPE_CHECKING:
    from kubelet import node_certificate
else:
    node_certificate = late("kubelet.node_certificate")  # it needs the library of certificates, and most kubelets need neither

log = get_logger("kubelet")

SYNC_LOOP_SECONDS = 120.0  # twice upstream's resync interval


async def kubelet(config: KubeletConfig) -> None:
    """Run until cancelled. Pods go on running when it ends."""
    config = with_file(config)
    if config.cleanup:
        await cleanup(config)
        return
    for directory in (config.root_dir, config.log_dir):
        directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        client = None
        if config.kubeconfig is not None:
            if config.bootstrap_kubeconfig is not None:
                await node_certificate.join(config, SystemClock())
            way = node_certificate.way(config) if config.rotate_certificates else _load(config.kubeconfig)
            client = await stack.enter_async_context(Client(way, "kubelet"))
        reader = None
        if config.network_kubeconfig is not None:
            reader = await stack.enter_async_context(Client(_load(config.network_kubeconfig), "kubelet-network"))
        http = HttpGet()
        stack.push_async_callback(http.close)
        runtime = DockerRuntime(config.container_runtime_endpoint)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(runtime.run(), name="container engine")
            await runtime.connected.wait()
            engine = await runtime.info()
            await Kubelet(config, client, reader, runtime, engine, http).run(tasks)


def _load(path: Path) -> kubeconfig.Config:
    try:
        return kubeconfig.load(str(path))
    except kubeconfig.ConfigError as error:
        raise StartupError(f"failed to load kubeconfig {path}: {error}") from error


class Kubelet:
    """The parts of one node's kubelet."""

    def __init__(
        self,
        config: KubeletConfig,
        client: Client | None,
        reader: Client | None,
        runtime: DockerRuntime,
        engine: EngineInfo,
        http: HttpGet,
    ) -> None:
        """`reader` is the pod network's own: it sees all nodes, which a kubelet does not."""
        self._config = config
        self._client = client
        self._runtime = runtime
        self._clock = SystemClock()
        self._engine_away_since: float | None = None
        self._serving: node_certificate.ServingCertificate | None = None  # by request
        self.machine = read_machine(config.root_dir, f"{engine.name}://{engine.version}")
        self.identity = identity_of(config)
        self.facts = facts_of(config, self.identity, self.machine, engine, lacking=sorted(set(NAMES) - runtime.capabilities))
        self.network = built_network(config, self.identity.addresses[0])
        ours = reader if isinstance(self.network, BridgeNetwork) else None
        self._routes = built_routes(config, ours, self.identity.addresses[0], self.network) if ours is not None else None
        self.pod_range = PodRange(self.network, config.root_dir, self._network_started)
        self._policies = Policies(ours, self._connected_pods) if ours is not None else None
        self.pulled = PulledImages(self.facts.root)
        self.cgroups = Cgroups(config.cgroup_root, engine.cgroup_driver)
        self.logs = LogKeeper(self.facts.log_root, self.facts.logs, self._clock)
        self.sampler = Sampler(self.facts, Path(engine.data_root), seconds(config.volume_stats_agg_period))
        self._recorder = EventRecorder(client, "kubelet", self.identity.name) if client is not None else None
        self.events: PodEvents = RecordedEvents(self._recorder) if self._recorder is not None else LoggedEvents()
        self._services = Informer(client, Service) if client is not None else None
        self._objects = WatchedObjects(client, self._services, self._objects_changed) if client is not None else None
        self.pods = pods = self._pods_informer(client) if client is not None else None
        self.plugins = Plugins(self.facts.root, self.identity.name, client)
        self.devices = DeviceManager(self.facts.root, self._clock)
        self.plugins.add_devices = self.devices.add
        claims, types = (AskedClaims(client, self.events) if client is not None else NoClaims()), volume_types(self.plugins)
        self.claimed = ClaimedUsage(claims, types, self.facts.root, self.sampler.period, self._clock)
        prober = Prober(Asking(runtime, http), self.events, self._clock)
        admission = self._admission()
        self.workers = PodWorkers(self._tools(http, claims, types), prober, admission, self._report)
        metrics.tell(self.identity.name, self.workers.looks, lambda: self.claimed.last)
        self.pressure = NodePressure(config, self.sampler, self.workers, runtime, self.events, self._clock)
        self.pressure.images.on_images = self.pulled.forget_others
        admission.pressure = lambda: self.pressure.manager.pressure
        self.shutdown = built_shutdown(config, self.workers, self._clock)
        admission.going_down = lambda: self.shutdown.going_down
        self.source = PodSource(self.workers, pods, files=bool(_static_sources(config)))
        self.status = StatusManager(client, self.source.api_object) if client is not None else None
        self.agent = self._node_agent(client) if client is not None else None

    def _pods_informer(self, client: Client) -> Informer[Pod]:
        return Informer(client, Pod, field_selector=f"spec.nodeName={self.identity.name}")

    def _admission(self) -> Admission:
        unsafe = self._config.allowed_unsafe_sysctls
        admission = Admission(self.facts.allocatable, unsafe_sysctls=unsafe, apparmor=has_apparmor())
        admission.node = lambda: self.agent.node if self.agent is not None else None
        return admission

    def _node_agent(self, client: Client) -> NodeAgent:
        return NodeAgent(
            client,
            self.identity,
            self.machine,
            self._runtime,
            self.network,
            self._clock,
            pressure=lambda: self.pressure.manager.pressure,
            in_use=self.plugins.in_use,
            beat_seconds=seconds(self._config.node_status_update_frequency),
        )

    def _tools(self, http: HttpGet, claims: Claims, types: Sequence[VolumeType]) -> Tools:
        runtime, events, clock, facts = self._runtime, self.events, self._clock, self.facts
        images = Images(runtime, events, clock, self.pulled, logins_for(self._config, self._client, events, clock))
        hooks = Hooks(runtime, http)
        objects = self._objects
        return Tools(
            runtime=runtime,
            network=self.network,
            images=images,
            start=ContainerStart(runtime, images, hooks, events, facts),
            stop=ContainerStop(runtime, hooks, events, clock),
            volumes=PodVolumes(
                objects.token if objects is not None else no_token,
                claims,
                images,
                clock,
                types,
            ),
            objects=objects if objects is not None else NoObjects(),
            cgroups=self.cgroups,
            logs=self.logs,
            events=events,
            clock=clock,
            node=facts,
            devices=self.devices,
        )

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start every part in `tasks`, and return when all have started."""
        await self.pod_range.restore(self._config.pod_cidr)
        tasks.create_task(self.network.run(), name="pod network rules")
        if self._routes is not None and self._policies is not None:
            tasks.create_task(self._routes.run(), name="routes to other nodes")
            tasks.create_task(self._follow_policies(self._policies), name="network policies")
        tasks.create_task(self._serve(), name="server")
        tasks.create_task(self.workers.run(), name="pod workers")
        tasks.create_task(self.logs.run(), name="container logs")
        tasks.create_task(self.devices.run(), name="device plugins")
        self.pressure.start(tasks)
        tasks.create_task(self.shutdown.run(), name="shutdown of the node")
        if self._client is not None:
            self._start_client_parts(tasks)
        self._start_static_pods(tasks)
        self.source.start()
        tasks.create_task(self._end_orphans(), name="orphans")

    def _start_static_pods(self, tasks: asyncio.TaskGroup) -> None:
        config, name = self._config, self.identity.name
        together = Together(_static_sources(config), self.source.files_say)
        if config.static_pod_path is not None:
            tasks.create_task(StaticPods(config.static_pod_path, name, together.of("file")).run(), name="static pods")
        if config.manifest_url:
            every, said = seconds(config.http_check_frequency), together.of("http")
            asked = ManifestUrl(config.manifest_url, config.manifest_url_header, name, every, self._clock, said)
            tasks.create_task(asked.run(), name="manifest URL")

    def _start_client_parts(self, tasks: asyncio.TaskGroup) -> None:
        mirror_pods = MirrorPods(self._client, self.identity.name, self.source.mirror_pods, self.source.static_pods)
        self._runtime.on_connection = self.agent.wake
        self.pressure.tell(self.agent, self._recorder, self.identity.name)
        self.agent.devices, self.devices.on_change = self.devices.node_devices, self.agent.wake
        self.agent.going_down = lambda: self.shutdown.going_down
        self.shutdown.on_change = self._tell_shutdown
        self.source.on_mirrors = mirror_pods.changed
        self.source.on_new_mirror = lambda pod: self.status.again(pod.metadata.uid)
        self.source.on_object = self.status.seen
        self.agent.informer.on_change(lambda old, new: self.pod_range.node_is(new))
        self.agent.informer.on_change(self._attached)
        for name, work in (
            ("events", self._recorder.run()),
            ("objects", self._objects.run()),
            ("services", self._services.run()),
            ("status", self.status.run()),
            ("node", self._follow_node()),
            ("node object", self.agent.informer.run()),
            ("plugins", self.plugins.run()),
            ("pod range", self.pod_range.run()),
        ):
            tasks.create_task(work, name=name)
        if self._config.rotate_certificates:
            tasks.create_task(node_certificate.Rotation(self._config, self._client, self._clock).run(), name="certificate")
        if self._config.server_tls_bootstrap:
            self._serving = node_certificate.ServingCertificate(self._config, self._client, self.identity.addresses, self._clock)
            tasks.create_task(self._serving.run(), name="serving certificate")
        tasks.create_task(self._follow_pods(mirror_pods), name="pods")

    def _attached(self, old: Node | None, new: Node | None) -> None:
        """A volume that pods wait for may have come."""
        if old is None or new is None or old.status.volumesAttached != new.status.volumesAttached:
            for pod in self.workers.pods():
                if any(names_claim(volume) for volume in pod.spec.volumes or ()):
                    self.workers.objects_changed(pod.metadata.uid)

    def _tell_shutdown(self, going_down: bool) -> None:
        message = f"Shutdown manager detected shutdown {'event' if going_down else 'cancellation'}"
        self._recorder.event(node_about(self.identity.name), "Normal", "Shutdown", message)
        self.agent.wake()

    async def _follow_node(self) -> None:
        if self._config.register_node:
            await self.agent.register()
        await self.agent.run(self._recorder)

    async def _follow_pods(self, mirror_pods: MirrorPods) -> None:
        """Pods after services: a container's variables name those that are there before it."""
        await self._services.synced.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pods.run(), name="pods of the API server")
            await self.source.all_spoke()
            tasks.create_task(mirror_pods.run(), name="mirror pods")

    async def _serve(self) -> None:
        """Serve on the kubelet's port, and health alone on the local one, until cancelled."""
        config = self._config
        shown = configuration(config, self.facts.cgroup_driver)
        health = Health(
            Check("log", always_well), Check("syncloop", self._engine_answers), config=shown, config_name="kubeletconfig"
        )
        server = KubeletServer(
            self.workers,
            self._runtime,
            ServerAuth(self._client, self.identity.name, anonymous=config.anonymous_auth),
            self.sampler,
            self.claimed,
            self.machine,
            health,
        )
        servers = []
        try:
            if config.healthz_port:
                servers.append(await serve(health.app, config.healthz_bind_address, config.healthz_port))
            tls = server_tls(*await self._server_files(), config.client_ca_file)
            servers.append(await serve(server.app, config.address, config.port, tls=tls, on_upgrade=server.door.on_upgrade))
            await asyncio.Event().wait()
        finally:
            for one in servers:
                await one.close()

    async def _server_files(self) -> tuple[Path, Path]:
        """The certificate and key to serve with: those of flags, by request, or signed by itself."""
        config = self._config
        if self._serving is not None:
            await self._serving.ready.wait()
            return self._serving.file, self._serving.file
        if config.tls_cert_file is not None and config.tls_private_key_file is not None:
            return config.tls_cert_file, config.tls_private_key_file
        return node_certificate.serving(config, self._clock.now())

    async def _engine_answers(self) -> str | None:
        """As upstream's sync loop, which stands still while the engine does not answer."""
        now = self._clock.monotonic()
        if self._runtime.connected.is_set():
            self._engine_away_since = None
        elif self._engine_away_since is None:
            self._engine_away_since = now
        elif now - self._engine_away_since > SYNC_LOOP_SECONDS:
            return "sync Loop took longer than expected"
        return None

    async def _follow_policies(self, policies: Policies) -> None:
        """From when all pods of this node are known: until then the rules of an earlier run stand."""
        if isinstance(self.network, BridgeNetwork):
            self.network.before_connecting = policies.cover
        await self.source.all_spoke()
        if self.pods is not None:
            self.pods.on_change(lambda old, new: policies.wake())
        await policies.run()

    def _connected_pods(self) -> list[Peer]:
        """This node's pods, with the addresses that the pod network has for them."""
        held = self.network.addresses
        return [Peer(pod, held[pod.metadata.uid]) for pod in self.workers.pods() if pod.metadata.uid in held]

    async def _end_orphans(self) -> None:
        await self.source.all_spoke()
        await self.workers.end_orphans()
        self.devices.keep_only({pod.metadata.uid for pod in self.workers.pods()})
        await Leftovers(self.facts, self.workers.pods, self._runtime, self._clock).run()

    def _network_started(self) -> None:
        if self._routes is not None:
            self._routes.wake()
        if self.agent is not None:
            self.agent.wake()
        self.workers.wake_all()

    def _report(self, pod: Pod, status: Tree, gone: bool) -> None:
        if self.status is not None:
            self.status.report(pod, status, gone)

    def _objects_changed(self, uid: str) -> None:
        self.workers.objects_changed(uid)


def _static_sources(config: KubeletConfig) -> list[str]:
    """Where static pods come from."""
    sources = {"file": config.static_pod_path is not None, "http": bool(config.manifest_url)}
    return [name for name, there in sources.items() if there]
