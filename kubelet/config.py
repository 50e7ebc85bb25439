"""Configuration: the kubelet's flags, over the fields of a KubeletConfiguration file (--config).

A flag that is given goes before the file, the file before the default. Flags and fields are upstream's; ours are marked.
https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/ ·
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
"""

import re
import socket
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

from kube.component.flags import flag
from kube.component.run import StartupError
from kubelet.eviction import HARD


@dataclass(frozen=True)
class KubeletConfig:
    """The kubelet runs the pods that are bound to its node."""

    kubeconfig: Path | None = flag("--kubeconfig", None, "How to reach the API server; without it only static pods run.")
    bootstrap_kubeconfig: Path | None = flag(
        "--bootstrap-kubeconfig", None, "With what to ask for a client certificate, where --kubeconfig is not there (any more)."
    )
    cert_dir: Path | None = flag("--cert-dir", None, "Where certificates are kept; else pki below --root-dir.")
    rotate_certificates: bool = flag("--rotate-certificates", False, "Ask for a new client certificate before the old one ends.")
    server_tls_bootstrap: bool = flag(
        "--rotate-server-certificates", False, "Ask for the server's certificate, and for a new one before it ends."
    )
    config: Path | None = flag("--config", None, "A KubeletConfiguration file.")
    hostname_override: str = flag("--hostname-override", "", "The node's name, instead of the hostname.")
    node_ip: str = flag("--node-ip", "", "The node's address.")
    static_pod_path: Path | None = flag(
        "--pod-manifest-path", None, "A directory of manifests of static pods.", aliases=("--static-pod-path",)
    )
    root_dir: Path = flag("--root-dir", Path("/var/lib/kubelet"), "Where pods' volumes and files are kept.")
    log_dir: Path = flag("--log-dir", Path("/var/log/pods"), "Where pods' logs are found.", aliases=("--pod-logs-dir",))
    container_runtime_endpoint: str = flag("--container-runtime-endpoint", "unix:///var/run/docker.sock", "Docker's socket.")
    pod_infra_container_image: str = flag(
        "--pod-infra-container-image", "registry.k8s.io/pause:3.10", "The image of the containers that hold pods' networks."
    )
    cluster_dns: tuple[str, ...] = flag("--cluster-dns", (), "The addresses of the cluster's DNS.")
    cluster_domain: str = flag("--cluster-domain", "cluster.local", "The cluster's domain.")
    cluster_cidr: str = flag("--cluster-cidr", "10.244.0.0/16", "The range of all pods' addresses (ours).")
    pod_cidr: str = flag("--pod-cidr", "", "The range of this node's pods, where no API server tells it.")
    network_kubeconfig: Path | None = flag(
        "--network-kubeconfig", None, "Who reads nodes and policies for the pod network; without it this node is alone (ours)."
    )
    cni_conf_dir: Path = flag(
        "--cni-conf-dir", Path("/etc/cni/net.d"), "A CNI configuration in here takes the built-in pod network's place."
    )
    cni_bin_dir: Path = flag("--cni-bin-dir", Path("/opt/cni/bin"), "Where CNI plugins are.")
    cni_cache_dir: Path = flag("--cni-cache-dir", Path("/var/lib/cni/cache"), "Where results of CNI plugins are kept.")
    pod_network_backend: str = flag(
        "--pod-network-backend", "auto", "The way to other nodes' pods: auto, host-routes or vxlan (ours)."
    )
    resolv_conf: Path = flag("--resolv-conf", Path("/etc/resolv.conf"), "The resolver of pods with dnsPolicy Default.")
    register_node: bool = flag("--register-node", True, "Register with the API server.")
    node_labels: tuple[str, ...] = flag("--node-labels", (), "Labels to register with, as name=value.")
    register_with_taints: tuple[str, ...] = flag("--register-with-taints", (), "Taints to register with, as key=value:effect.")
    max_pods: int = flag("--max-pods", 110, "How many pods may run on this node.")
    address: str = flag("--address", "0.0.0.0", "The address that the server listens on.")
    port: int = flag("--port", 10250, "The port that the server listens on.")
    healthz_bind_address: str = flag("--healthz-bind-address", "127.0.0.1", "The address of the local healthz server.")
    healthz_port: int = flag("--healthz-port", 10248, "The port of the local healthz server; 0: none.")
    tls_cert_file: Path | None = flag("--tls-cert-file", None, "The server's certificate.")
    tls_private_key_file: Path | None = flag("--tls-private-key-file", None, "The server's key.")
    anonymous_auth: bool = flag("--anonymous-auth", False, "Let who shows no credentials ask, as system:anonymous.")
    client_ca_file: Path | None = flag("--client-ca-file", None, "Who may sign clients' certificates.")
    cgroup_root: str = flag("--cgroup-root", "", "The cgroup below which pods' cgroups are made.")
    allowed_unsafe_sysctls: tuple[str, ...] = flag(
        "--allowed-unsafe-sysctls", (), "Sysctls that pods may set beside the safe ones; a name may end in *."
    )
    image_credential_provider_config: Path | None = flag(
        "--image-credential-provider-config", None, "Which programs are asked for logins of registries (CredentialProviderConfig)."
    )
    image_credential_provider_bin_dir: Path | None = flag("--image-credential-provider-bin-dir", None, "Where those programs are.")
    system_reserved: tuple[str, ...] = flag("--system-reserved", (), "Resources that pods do not get, as cpu=200m,memory=1Gi.")
    kube_reserved: tuple[str, ...] = flag("--kube-reserved", (), "The same, for Kubernetes' own programs.")
    eviction_hard: tuple[str, ...] = flag("--eviction-hard", HARD, "What must be left, or pods go at once: memory.available<100Mi.")
    eviction_soft: tuple[str, ...] = flag("--eviction-soft", (), "What must be left, or pods go after a grace period.")
    eviction_soft_grace_period: tuple[str, ...] = flag(
        "--eviction-soft-grace-period", (), "The grace periods: memory.available=1m30s."
    )
    eviction_minimum_reclaim: tuple[str, ...] = flag(
        "--eviction-minimum-reclaim", (), "How much more must be left after an eviction: nodefs.available=500Mi."
    )
    eviction_max_pod_grace_period: int = flag("--eviction-max-pod-grace-period", 0, "Seconds that pods get at soft thresholds.")
    eviction_pressure_transition_period: str = flag(
        "--eviction-pressure-transition-period", "5m0s", "How long a pressure is told after it was last seen."
    )
    image_gc_high_threshold: int = flag("--image-gc-high-threshold", 85, "Percent of the disk at which images are removed.")
    image_gc_low_threshold: int = flag("--image-gc-low-threshold", 80, "Percent of the disk down to which they are removed.")
    minimum_image_ttl_duration: str = flag("--minimum-image-ttl-duration", "2m0s", "How old an image must be to be removed.")
    container_log_max_size: str = flag("--container-log-max-size", "10Mi", "The size at which a container's log is rotated.")
    container_log_max_files: int = flag("--container-log-max-files", 5, "How many files of a container's log are kept.")
    shutdown_grace_period: str = flag(
        "--shutdown-grace-period", "0s", "How long a shutdown of the machine waits for its pods (ours as a flag)."
    )
    shutdown_grace_period_critical_pods: str = flag(
        "--shutdown-grace-period-critical-pods", "0s", "The part of it that is for critical pods (ours as a flag)."
    )
    shutdown_grace_period_by_pod_priority: tuple[str, ...] = flag(
        "--shutdown-grace-period-by-pod-priority", (), "Instead of both: priority=seconds (ours as a flag)."
    )
    maximum_dead_containers_per_container: int = flag(
        "--maximum-dead-containers-per-container", 1, "How many ended containers are kept of each container, beside its newest."
    )
    volume_stats_agg_period: str = flag("--volume-stats-agg-period", "1m0s", "How often the disk usage of pods is counted.")
    node_status_update_frequency: str = flag("--node-status-update-frequency", "10s", "How often the node looks at its status.")
    manifest_url: str = flag("--manifest-url", "", "Where manifests of static pods are asked for.")
    manifest_url_header: tuple[str, ...] = flag("--manifest-url-header", (), "Headers to ask with, as Name:value.")
    http_check_frequency: str = flag("--http-check-frequency", "20s", "How often the manifest URL is asked.")
    cleanup: bool = flag("--cleanup", False, "Remove what kubelets left on this host, and end (ours).")
    v: int = flag("--v", 0, "How much to log.")

    @property
    def node_name(self) -> str:
        return (self.hostname_override or socket.gethostname()).strip().lower()


# KubeletConfiguration's names for what is not simply the flag's name in camel case.
FIELDS = {
    "staticPodPath": "static_pod_path",
    "clusterDNS": "cluster_dns",
    "clusterDomain": "cluster_domain",
    "containerRuntimeEndpoint": "container_runtime_endpoint",
    "resolvConf": "resolv_conf",
    "maxPods": "max_pods",
    "address": "address",
    "port": "port",
    "healthzBindAddress": "healthz_bind_address",
    "healthzPort": "healthz_port",
    "tlsCertFile": "tls_cert_file",
    "tlsPrivateKeyFile": "tls_private_key_file",
    "cgroupRoot": "cgroup_root",
    "podCIDR": "pod_cidr",
    "registerNode": "register_node",
    "podLogsDir": "log_dir",
    "rotateCertificates": "rotate_certificates",
    "serverTLSBootstrap": "server_tls_bootstrap",
    "allowedUnsafeSysctls": "allowed_unsafe_sysctls",
    "evictionMaxPodGracePeriod": "eviction_max_pod_grace_period",
    "evictionPressureTransitionPeriod": "eviction_pressure_transition_period",
    "imageGCHighThresholdPercent": "image_gc_high_threshold",
    "imageGCLowThresholdPercent": "image_gc_low_threshold",
    "imageMinimumGCAge": "minimum_image_ttl_duration",
    "containerLogMaxSize": "container_log_max_size",
    "containerLogMaxFiles": "container_log_max_files",
    "shutdownGracePeriod": "shutdown_grace_period",
    "shutdownGracePeriodCriticalPods": "shutdown_grace_period_critical_pods",
    "volumeStatsAggPeriod": "volume_stats_agg_period",
    "nodeStatusUpdateFrequency": "node_status_update_frequency",
    "staticPodURL": "manifest_url",
    "httpCheckFrequency": "http_check_frequency",
}

BY_PRIORITY = "shutdownGracePeriodByPodPriority"  # a list of objects

# Its maps, and the sign between a name and a value in the flag.
MAPS = {
    "systemReserved": ("system_reserved", "="),
    "kubeReserved": ("kube_reserved", "="),
    "evictionHard": ("eviction_hard", "<"),
    "evictionSoft": ("eviction_soft", "<"),
    "evictionSoftGracePeriod": ("eviction_soft_grace_period", "="),
    "evictionMinimumReclaim": ("eviction_minimum_reclaim", "="),
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def with_file(config: KubeletConfig) -> KubeletConfig:
    """The configuration with the file's values where no flag was given. Raises StartupError."""
    if config.config is None:
        return config
    try:
        tree = yaml.safe_load(config.config.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise StartupError(f"failed to load kubelet config file, path: {config.config}, error: {error}") from error
    if tree.get("kind") != "KubeletConfiguration":
        raise StartupError(f"failed to load kubelet config file, path: {config.config}: it is no KubeletConfiguration")
    return replace(config, **_stated(config, tree))


def _stated(config: KubeletConfig, tree: dict[str, Any]) -> dict[str, Any]:
    values = {ours: tree[theirs] for theirs, ours in FIELDS.items() if theirs in tree}
    authority = ((tree.get("authentication") or {}).get("x509") or {}).get("clientCAFile")
    if authority:
        values["client_ca_file"] = authority
    for theirs, (ours, sign) in MAPS.items():
        if tree.get(theirs):
            values[ours] = tuple(f"{name}{sign}{amount}" for name, amount in tree[theirs].items())
    for name, lines in (tree.get("staticPodURLHeader") or {}).items():
        values["manifest_url_header"] = (*values.get("manifest_url_header", ()), *(f"{name}:{line}" for line in lines))
    by_priority = [f"{one['priority']}={one['shutdownGracePeriodSeconds']}" for one in tree.get(BY_PRIORITY) or ()]
    if by_priority:
        values["shutdown_grace_period_by_pod_priority"] = tuple(by_priority)
    anonymous = ((tree.get("authentication") or {}).get("anonymous") or {}).get("enabled")
    if anonymous is not None:
        values["anonymous_auth"] = anonymous
    return {
        one.name: _like(one.type, values[one.name])
        for one in fields(config)
        if one.name in values and getattr(config, one.name) == one.default and one.default is not MISSING
    }


def _like(kind: Any, value: Any) -> Any:
    """A YAML value as the field's type has it."""
    if "Path" in str(kind):
        return Path(value)
    return tuple(value) if isinstance(value, list) else value


def seconds(text: str) -> float:
    """Of a duration as Go writes it: 1m30s. Raises StartupError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        raise StartupError(f'invalid duration "{text}"')
    return sum(float(amount) * _UNITS[unit] for amount, unit in parts)


def pairs(words: tuple[str, ...]) -> dict[str, str]:
    """name=value words."""
    return {name: value for name, _, value in (word.partition("=") for word in words)}
