"""Node setup: what a node is, and what it is built of, as its flags, its machine and its engine say."""

from kube.api import quantity
from kube.client.rest import Client
from kube.component.clock import Clock
from kube.component.run import StartupError
from kubelet.config import KubeletConfig, pairs, seconds
from kubelet.credential_providers import CredentialProviders, loaded
from kubelet.images import Logins
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.cni_config import find_network
from kubelet.network.cni_network import CniNetwork
from kubelet.network.node_routes import NodeRoutes
from kubelet.network.routes import BACKENDS, VXLAN_OVERHEAD
from kubelet.node_facts import NodeFacts
from kubelet.node_info import Machine, own_address
from kubelet.node_shutdown import NodeShutdown, Phase, phases
from kubelet.node_status import Identity, allocatable, parse_taint
from kubelet.pod_events import PodEvents
from kubelet.pod_workers import PodWorkers
from kubelet.pressure import reserved_of, thresholds_of
from kubelet.pull_secrets import PullSecrets
from kubelet.runtime.runtime import EngineInfo, LogPolicy
from kubelet.shutdown_sources import Logind, PowerSignal

RESOURCE_CAPABILITY = "SYS_RESOURCE"  # lets a process lower an oom_score_adj


def identity_of(config: KubeletConfig) -> Identity:
    return Identity(
        name=config.node_name,
        addresses=(config.node_ip or own_address(),),
        labels=pairs(config.node_labels),
        taints=[parse_taint(text) for text in config.register_with_taints],
        port=config.port,
        max_pods=config.max_pods,
        reserved=reserved_of(config),
        thresholds=thresholds_of(config),
    )


def built_network(config: KubeletConfig, address: str) -> BridgeNetwork | CniNetwork:
    plugged = find_network(config.cni_conf_dir)
    if plugged is not None:
        return CniNetwork(plugged, config.cni_bin_dir, config.cni_cache_dir)
    if config.pod_network_backend not in BACKENDS:
        raise StartupError(f"--pod-network-backend: {config.pod_network_backend!r} is none of {', '.join(BACKENDS)}")
    wrapped = config.network_kubeconfig is not None and config.pod_network_backend != "host-routes"
    return BridgeNetwork(config.cluster_cidr, node_address=address, overhead=VXLAN_OVERHEAD if wrapped else 0)


def built_routes(config: KubeletConfig, reader: Client, address: str, network: BridgeNetwork | CniNetwork) -> NodeRoutes:
    return NodeRoutes(reader, address, config.cluster_cidr, config.pod_network_backend, lambda: network.range)


def logins_for(config: KubeletConfig, client: Client | None, events: PodEvents, clock: Clock) -> Logins:
    """What registries are shown. Raises StartupError."""
    programs = loaded(config.image_credential_provider_config, config.image_credential_provider_bin_dir)
    return PullSecrets(client, config.root_dir, events, CredentialProviders(programs, clock).logins).logins


def built_shutdown(config: KubeletConfig, workers: PodWorkers, clock: Clock) -> NodeShutdown:
    """Raises StartupError."""
    order = shutdown_order(config)
    return NodeShutdown(order, (Logind(sum(phase.seconds for phase in order)), PowerSignal()), workers, clock)


def shutdown_order(config: KubeletConfig) -> tuple[Phase, ...]:
    """Raises StartupError."""
    stated = [
        Phase(int(priority), float(length)) for priority, length in pairs(config.shutdown_grace_period_by_pod_priority).items()
    ]
    total, critical = seconds(config.shutdown_grace_period), seconds(config.shutdown_grace_period_critical_pods)
    try:
        return phases(total, critical, stated)
    except ValueError as error:
        raise StartupError(str(error)) from error


def log_policy_of(config: KubeletConfig) -> LogPolicy:
    try:
        size = quantity.value(config.container_log_max_size)
    except ValueError as error:
        raise StartupError(f"failed to parse container log max size {config.container_log_max_size!r}: {error}") from error
    if size <= 0:
        raise StartupError(f"container log max size must be positive. ContainerLogMaxSize: {size}")
    if config.container_log_max_files <= 1:
        raise StartupError(f"invalid configuration: containerLogMaxFiles {config.container_log_max_files} must be greater than 1")
    return LogPolicy(size, config.container_log_max_files)


def facts_of(config: KubeletConfig, identity: Identity, machine: Machine, engine: EngineInfo, *, lacking: list[str]) -> NodeFacts:
    return NodeFacts(
        name=identity.name,
        root=config.root_dir.resolve(),
        log_root=config.log_dir.resolve(),
        sandbox_image=config.pod_infra_container_image,
        addresses=identity.addresses,
        memory=machine.memory,
        allocatable=allocatable(identity, machine),
        cluster_dns=config.cluster_dns,
        cluster_domain=config.cluster_domain,
        resolv_conf=config.resolv_conf,
        cgroup_root=config.cgroup_root,
        cgroup_driver=engine.cgroup_driver,
        least_oom_score=0 if RESOURCE_CAPABILITY in lacking else -1000,
        missing_capabilities=tuple(lacking),
        dead_containers=max(0, config.maximum_dead_containers_per_container),
        logs=log_policy_of(config),
    )
