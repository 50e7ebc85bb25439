"""A cluster on one machine: its addresses, ports and places, from which all else follows.

Everything that `make up` makes lives below one state directory, so that `make purge` is the removal of a directory; save pods'
logs, which are where collectors look for them, and go with their pods:

    pki/         keys and certificates (0700)          etcd/    the database
    kubeconfig/  one file per program, and admin.conf   docker/  the engine's data, if the engine is ours
    kubelet/     pods' volumes                          logs/    one file per program
    manifests/   static pods                            run/     sockets and process ids
"""

import json
from dataclasses import asdict, dataclass, fields
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

VERSION = "v1.36.0"  # the Kubernetes release whose behaviour is kept
NODE_DEVICE = "skiff0"  # a local device that carries the node's address
DOCKER_SOCKET = Path("/var/run/docker.sock")
SETTINGS = "cluster.json"


@dataclass(frozen=True)
class Cluster:
    """Where things are. The defaults are a user's machine; tests move them."""

    state: Path = Path("/var/lib/skiff")
    node_name: str = "skiff"
    # Our choice: the node's address stands on a device of its own. It is the same after a change of network (a laptop that
    # moves keeps its cluster), and what is sent to it never leaves the machine. 198.18.0.0/15 is for tests (RFC 2544).
    node_ip: str = "198.18.0.1"
    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/12"
    node_port_range: str = "30000-32767"
    domain: str = "cluster.local"
    api_host: str = "127.0.0.1"  # where the programs find the API server
    api_port: int = 6443
    etcd_port: int = 2379
    etcd_peer_port: int = 2380
    cgroup_root: str = "/"  # pods' cgroups are made below it
    pod_log_dir: str = ""  # where log collectors look: /var/log/pods, of which a host has one; none: below the state directory
    netns: str = ""  # the network namespace that is this host's, by name (deploy/lab); none: the machine's own
    docker_socket: Path = DOCKER_SOCKET  # an engine that answers there is used; otherwise one is started that does

    @classmethod
    def known(cls, state: Path) -> "Cluster":
        """The cluster of a state directory, as it was brought up; the defaults where there is none."""
        file = state / SETTINGS
        try:
            saved = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return cls(state=state)  # none, or one that was cut off while it was written
        names = {field.name for field in fields(cls)} & set(saved)
        values: dict[str, Any] = {name: Path(saved[name]) if name == "docker_socket" else saved[name] for name in names}
        return cls(**{**values, "state": state})

    def remember(self) -> None:
        """Write the settings down, for those who come later to stop or to ask."""
        settings = {name: value for name, value in asdict(self).items() if name != "state"}
        (self.state / SETTINGS).write_text(json.dumps(settings, indent=2, default=str) + "\n")

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def pod_logs(self) -> Path:
        return Path(self.pod_log_dir) if self.pod_log_dir else self.logs / "pods"

    @property
    def manifests(self) -> Path:
        return self.state / "manifests"

    @property
    def supervisor_config(self) -> Path:
        return self.state / "supervisord.conf"

    @property
    def server(self) -> str:
        return f"https://{self.api_host}:{self.api_port}"

    @property
    def kubernetes_service_ip(self) -> str:
        """The first address of the service range: the API server, seen from a pod."""
        return str(IPv4Network(self.service_cidr)[1])

    @property
    def dns_ip(self) -> str:
        """The tenth address of the service range: where cluster DNS will answer."""
        return str(IPv4Network(self.service_cidr)[10])

    @property
    def ports(self) -> dict[int, str]:
        """Every port that the programs listen on, and who does."""
        return {
            self.api_port: "kube-apiserver",
            self.etcd_port: "etcd",
            self.etcd_peer_port: "etcd",
            10248: "kubelet",
            10249: "kube-proxy",
            10250: "kubelet",
            10256: "kube-proxy",
            10257: "kube-controller-manager",
            10259: "kube-scheduler",
        }

    def kubeconfig(self, who: str) -> Path:
        return self.state / "kubeconfig" / f"{who}.conf"
