"""Cluster DNS' flags; what it answers stands in its Corefile."""

from dataclasses import dataclass
from pathlib import Path

from kube.component.flags import flag


@dataclass(frozen=True)
class Config:
    conf: Path = flag("--conf", Path("/etc/coredns/Corefile"), "Corefile to load.", aliases=("-conf",))
    port: int = flag("--port", 53, "Port of zones that name none, or 53.", aliases=("-dns.port", "-p"))
    bind_address: str = flag("--bind-address", "0.0.0.0", "Where questions are taken; :: is every address of both families.")
    kubeconfig: str = flag("--kubeconfig", "", "Path to a kubeconfig file; without one, the pod's service account is used.")
    master: str = flag("--master", "", "The address of the Kubernetes API server (overrides any value in kubeconfig).")
    v: int = flag("--v", 0, "Number for the log level verbosity.")
