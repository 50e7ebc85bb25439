"""kube-proxy's flags, under upstream's names, and its configuration file (kubeproxy.config.k8s.io/v1alpha1).

What the file states wins over the flags, as upstream's file does. `--service-cluster-ip-range` is our own: with it, cluster IPs
that no Service has end on the node (see `service_route`).
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/
https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from kube.api import duration
from kube.component.flags import Seconds, flag
from kube.component.run import StartupError

API_VERSION, KIND = "kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration"


@dataclass(frozen=True)
class Config:
    kubeconfig: str = flag("--kubeconfig", "", "Path to kubeconfig file with authorization information.")
    master: str = flag("--master", "", "The address of the Kubernetes API server (overrides any value in kubeconfig).")
    config: Path | None = flag("--config", None, "The path to the configuration file.")
    proxy_mode: str = flag("--proxy-mode", "nftables", "Which proxy mode to use: nftables, iptables, ipvs or userspace.")
    ipvs_scheduler: str = flag("--ipvs-scheduler", "", "The ipvs scheduler type when proxy mode is ipvs; empty: rr.")
    cluster_cidr: str = flag(
        "--cluster-cidr", "", "The CIDR range of pods; what comes from outside it to cluster IPs is masqueraded."
    )
    service_cluster_ip_range: str = flag(
        "--service-cluster-ip-range", "", "The CIDR range of cluster IPs; what no Service has there does not leave the node."
    )
    hostname_override: str = flag("--hostname-override", "", "If non-empty, this is the node's name, instead of the hostname.")
    bind_address: str = flag(
        "--bind-address", "0.0.0.0", "The primary IP family is that of this address; both families are served."
    )
    metrics_bind_address: str = flag("--metrics-bind-address", "127.0.0.1:10249", "Where metrics are served; empty to disable.")
    healthz_bind_address: str = flag("--healthz-bind-address", "0.0.0.0:10256", "Where health is served; empty to disable.")
    masquerade_all: bool = flag("--masquerade-all", False, "SNAT all traffic sent via Service cluster IPs.")
    nodeport_addresses: tuple[str, ...] = flag(
        "--nodeport-addresses", (), "CIDR ranges, or 'primary': on which of the node's addresses NodePorts are. Empty: on all."
    )
    min_sync_period: Seconds = flag(
        "--iptables-min-sync-period", Seconds(0.05), "The shortest time between two syncs of the rules."
    )
    sync_period: Seconds = flag("--iptables-sync-period", Seconds(30.0), "How often to look whether the rules are still there.")
    cleanup: bool = flag("--cleanup", False, "If true, clean up rules, route and device, and exit.")
    v: int = flag("--v", 0, "Number for the log level verbosity.")


def with_file(config: Config) -> Config:
    """The configuration with what its file states. Raises StartupError."""
    if config.config is None:
        return config
    try:
        tree = yaml.safe_load(config.config.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise StartupError(f"failed to load config file {config.config}: {error}") from error
    if not isinstance(tree, dict) or (tree.get("apiVersion"), tree.get("kind")) != (API_VERSION, KIND):
        raise StartupError(f"failed to load config file {config.config}: it must hold a {KIND} of {API_VERSION}")
    return replace(config, **_stated(tree))


def _stated(tree: Mapping[str, Any]) -> dict[str, Any]:
    of_mode = tree.get(tree.get("mode") or "nftables") or {}
    found = {
        "kubeconfig": (tree.get("clientConnection") or {}).get("kubeconfig"),
        "proxy_mode": tree.get("mode"),
        "ipvs_scheduler": (tree.get("ipvs") or {}).get("scheduler"),
        "cluster_cidr": tree.get("clusterCIDR"),
        "hostname_override": tree.get("hostnameOverride"),
        "bind_address": tree.get("bindAddress"),
        "metrics_bind_address": tree.get("metricsBindAddress"),
        "healthz_bind_address": tree.get("healthzBindAddress"),
        "masquerade_all": of_mode.get("masqueradeAll"),
        "nodeport_addresses": tuple(tree.get("nodePortAddresses") or ()) or None,
        "min_sync_period": _seconds(of_mode.get("minSyncPeriod")),
        "sync_period": _seconds(of_mode.get("syncPeriod")),
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _seconds(text: str | None) -> float | None:
    """A Go duration; upstream's 0s means the default."""
    return (duration.parse_go(text) or None) if text else None
