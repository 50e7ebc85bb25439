"""metrics-server's flags, by upstream's names."""

from dataclasses import dataclass
from pathlib import Path

from kube.component.flags import flag


@dataclass(frozen=True)
class Config:
    bind_address: str = flag("--bind-address", "0.0.0.0", "The address to listen on.")
    secure_port: int = flag("--secure-port", 10250, "The port to serve HTTPS on.")
    cert_dir: Path = flag("--cert-dir", Path("/tmp"), "Where the self-signed serving certificate is put.")
    metric_resolution: str = flag("--metric-resolution", "15s", "How often every kubelet is asked.")
    kubelet_preferred_address_types: tuple[str, ...] = flag(
        "--kubelet-preferred-address-types", ("InternalIP", "ExternalIP", "Hostname"), "The kinds of node addresses, best first."
    )
    kubelet_use_node_status_port: bool = flag(
        "--kubelet-use-node-status-port", False, "Take the kubelet's port from the node's status, not from --kubelet-port."
    )
    kubelet_port: int = flag("--kubelet-port", 10250, "The port of kubelets.")
    kubelet_insecure_tls: bool = flag("--kubelet-insecure-tls", False, "Do not verify kubelets' certificates.")
    kubelet_certificate_authority: Path | None = flag(
        "--kubelet-certificate-authority", None, "The authority of kubelets' certificates; without one, the API server's."
    )
    kubeconfig: str = flag("--kubeconfig", "", "Path to a kubeconfig file; without one, the pod's service account is used.")
    v: int = flag("--v", 0, "Number for the log level verbosity.")
