"""kube-scheduler's flags, under upstream's names.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/
"""

from dataclasses import dataclass
from pathlib import Path

from kube.component.flags import flag


@dataclass(frozen=True)
class Config:
    kubeconfig: str = flag("--kubeconfig", "", "Path to kubeconfig file with authorization and master location information.")
    master: str = flag("--master", "", "The address of the Kubernetes API server (overrides any value in kubeconfig).")
    leader_elect: bool = flag("--leader-elect", True, "Start a leader election client and gain leadership before working.")
    bind_address: str = flag("--bind-address", "0.0.0.0", "The IP address on which to listen for the --secure-port port.")
    secure_port: int = flag("--secure-port", 10259, "The port on which to serve HTTPS; 0 to not serve at all.")
    tls_cert_file: Path | None = flag("--tls-cert-file", None, "File containing the x509 certificate for HTTPS.")
    tls_private_key_file: Path | None = flag("--tls-private-key-file", None, "File containing the matching private key.")
    config: Path | None = flag("--config", None, "The path to the configuration file (KubeSchedulerConfiguration).")
    v: int = flag("--v", 0, "Number for the log level verbosity.")
