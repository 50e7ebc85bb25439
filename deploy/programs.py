"""The programs of a cluster on one machine, and the supervisor's configuration that runs them.

Pure: from a `Cluster` to command lines and to the text of supervisord.conf. The supervisor is `supervisor` from PyPI; it starts
what died again, whatever killed it, and keeps each program's output in logs/<program>.log, rotated.
http://supervisord.org/configuration.html
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.cluster import Cluster
from deploy.host import resolver_file
from deploy.images.build import PAUSE

# Upstream's default, a share of the disk, would forbid pods on a person's machine that has 100 GB free of 1 TB.
EVICTION = "memory.available<100Mi,nodefs.available<1Gi,imagefs.available<1Gi"
MARK = "SKIFF_STATE"  # in the environment of every program that we start: whose it is
LOG_BYTES = "10MB"
LOG_BACKUPS = 2
STOP_SECONDS = 90  # then a program is killed; systemd's default. A request on its way may take 60 of them (--request-timeout)


@dataclass(frozen=True)
class Program:
    name: str
    argv: tuple[str, ...]
    priority: int  # started in this order, stopped in the reverse


def programs(cluster: Cluster, *, own_engine: bool) -> list[Program]:
    """Every process of the cluster; with the container engine where none was found."""
    return [*control_plane_programs(cluster), *node_programs(cluster, own_engine=own_engine)]


def control_plane_programs(cluster: Cluster) -> list[Program]:
    return [
        etcd(cluster),
        Program("kube-apiserver", _ours("apiserver", api_server_flags(cluster)), 20),
        Program("kube-controller-manager", _ours("controller_manager", controller_manager_flags(cluster)), 30),
        Program("kube-scheduler", _ours("scheduler", scheduler_flags(cluster)), 30),
    ]


def node_programs(cluster: Cluster, *, own_engine: bool, taints: str = "") -> list[Program]:
    """What every host runs that has pods; `taints` as kubelet's --register-with-taints."""
    kubelet = kubelet_flags(cluster) | ({"register-with-taints": taints} if taints else {})
    return [
        *(engine_programs(cluster) if own_engine else []),
        Program("kubelet", _ours("kubelet", kubelet), 30),
        Program("kube-proxy", _ours("kube_proxy", kube_proxy_flags(cluster)), 30),
    ]


def engine_programs(cluster: Cluster) -> list[Program]:
    """containerd apart from dockerd: a containerd that dockerd starts dies with it, and keeps the next dockerd out.

    No bridge and no rules of its own: the pod network is the kubelet's. live-restore: containers outlive the engine.
    """
    data, run = cluster.state / "docker", cluster.run
    socket = str(run / "containerd.sock")
    containerd = ("--root", str(data / "containerd"), "--state", str(run / "containerd"), "--address", socket)
    dockerd = (
        f"--containerd={socket}",
        f"--data-root={data}",
        f"--exec-root={run / 'docker'}",
        f"--host=unix://{cluster.docker_socket}",
        f"--pidfile={run / 'docker.pid'}",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
        "--live-restore=true",
        "--storage-driver=overlay2",
    )
    return [
        Program("containerd", (_found("containerd"), *containerd, "--log-level", "warn"), 10),
        Program("dockerd", (_found("dockerd"), *dockerd), 11),
    ]


def etcd(cluster: Cluster) -> Program:
    pki = cluster.pki / "etcd"
    client, peer = f"https://127.0.0.1:{cluster.etcd_port}", f"https://127.0.0.1:{cluster.etcd_peer_port}"
    certificates = (f"--cert-file={pki / 'server.crt'}", f"--key-file={pki / 'server.key'}")
    flags = (
        "--name=skiff",
        f"--data-dir={cluster.state / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=skiff={peer}",
        "--client-cert-auth=true",
        f"--trusted-ca-file={pki / 'ca.crt'}",
        *certificates,
        "--peer-client-cert-auth=true",
        f"--peer-trusted-ca-file={pki / 'ca.crt'}",
        f"--peer-cert-file={pki / 'server.crt'}",
        f"--peer-key-file={pki / 'server.key'}",
        "--logger=zap",
        "--log-level=warn",
    )
    return Program("etcd", (_found("etcd"), *flags), 10)


def api_server_flags(cluster: Cluster) -> dict[str, object]:
    pki = cluster.pki
    return {
        "secure-port": cluster.api_port,
        "advertise-address": cluster.node_ip,
        "etcd-servers": f"https://127.0.0.1:{cluster.etcd_port}",
        "etcd-cafile": pki / "etcd" / "ca.crt",
        "etcd-certfile": pki / "apiserver-etcd-client.crt",
        "etcd-keyfile": pki / "apiserver-etcd-client.key",
        "client-ca-file": pki / "ca.crt",
        "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-uid-headers": "X-Remote-Uid",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": pki / "front-proxy-client.crt",
        "proxy-client-key-file": pki / "front-proxy-client.key",
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "apiserver-kubelet-client.crt",
        "kubelet-client-key": pki / "apiserver-kubelet-client.key",
        "service-account-issuer": f"https://kubernetes.default.svc.{cluster.domain}",
        "service-account-key-file": pki / "sa.pub",
        "service-account-signing-key-file": pki / "sa.key",
        "service-cluster-ip-range": cluster.service_cidr,
        "service-node-port-range": cluster.node_port_range,
        "kubelet-preferred-address-types": "InternalIP,Hostname",
        "authorization-mode": "Node,RBAC",
    }


def controller_manager_flags(cluster: Cluster) -> dict[str, object]:
    return {
        "kubeconfig": cluster.kubeconfig("controller-manager"),
        "allocate-node-cidrs": "true",
        "cluster-cidr": cluster.pod_cidr,
        "root-ca-file": cluster.pki / "ca.crt",
        "service-account-private-key-file": cluster.pki / "sa.key",
        "cluster-signing-cert-file": cluster.pki / "ca.crt",
        "cluster-signing-key-file": cluster.pki / "ca.key",
        "bind-address": "127.0.0.1",
        "leader-elect": "true",
        **_serving(cluster, "controller-manager"),
    }


def scheduler_flags(cluster: Cluster) -> dict[str, object]:
    return {
        "kubeconfig": cluster.kubeconfig("scheduler"),
        "bind-address": "127.0.0.1",
        "leader-elect": "true",
        **_serving(cluster, "scheduler"),
    }


def kubelet_flags(cluster: Cluster) -> dict[str, object]:
    return {
        "kubeconfig": cluster.kubeconfig("kubelet"),
        "network-kubeconfig": cluster.kubeconfig("pod-network"),
        "hostname-override": cluster.node_name,
        "node-ip": cluster.node_ip,
        "root-dir": cluster.state / "kubelet",
        "log-dir": cluster.pod_logs,
        "pod-manifest-path": cluster.manifests,
        "container-runtime-endpoint": f"unix://{cluster.docker_socket}",
        "pod-infra-container-image": PAUSE,
        "cluster-dns": cluster.dns_ip,
        "cluster-domain": cluster.domain,
        "resolv-conf": resolver_file(),
        "cluster-cidr": cluster.pod_cidr,
        "client-ca-file": cluster.pki / "ca.crt",
        "cgroup-root": cluster.cgroup_root,
        "eviction-hard": EVICTION,
        **_serving(cluster, "kubelet"),
    }


def kube_proxy_flags(cluster: Cluster) -> dict[str, object]:
    return {
        "kubeconfig": cluster.kubeconfig("proxy"),
        "hostname-override": cluster.node_name,
        "cluster-cidr": cluster.pod_cidr,
        "service-cluster-ip-range": cluster.service_cidr,
    }


def cleanup_commands(cluster: Cluster) -> list[list[str]]:
    """What takes the network rules and pods' remains off the host, once the programs have stopped."""
    kubelet = {
        "cluster-cidr": cluster.pod_cidr,
        "root-dir": cluster.state / "kubelet",
        "log-dir": cluster.pod_logs,
        "cgroup-root": cluster.cgroup_root,
    }
    proxy = {"service-cluster-ip-range": cluster.service_cidr}
    commands = (_ours("kube_proxy", {"cleanup": "true", **proxy}), _ours("kubelet", {"cleanup": "true", **kubelet}))
    return [[*entering(cluster), *command] for command in commands]


def entering(cluster: Cluster) -> list[str]:
    """Before a command: run it in the host's network. Only that namespace, as another /sys would have no cgroups."""
    return ["nsenter", f"--net=/run/netns/{cluster.netns}"] if cluster.netns else []


def supervisor_config(cluster: Cluster, wanted: list[Program]) -> str:
    """supervisord.conf. A percent sign is its escape character, so it is doubled in values."""
    sections = [
        "[supervisord]",
        f"logfile={cluster.logs / 'supervisord.log'}",
        f"pidfile={cluster.run / 'supervisord.pid'}",
        f"childlogdir={cluster.logs}",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        "umask=022",  # as programs expect; what is private is below a directory that only root may enter
        f'environment={MARK}="{cluster.state}",PYTHONUNBUFFERED="1",PYTHONDONTWRITEBYTECODE=""',  # compiled modules are kept
        "",
        "[unix_http_server]",
        f"file={cluster.run / 'supervisor.sock'}",
        "chmod=0600",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        "",
        "[supervisorctl]",
        f"serverurl=unix://{cluster.run / 'supervisor.sock'}",
    ]
    for program in wanted:
        sections += ["", *_section(cluster, program)]
    return "\n".join(sections) + "\n"


def _section(cluster: Cluster, program: Program) -> list[str]:
    command = " ".join(_quoted(word) for word in program.argv).replace("%", "%%")
    return [
        f"[program:{program.name}]",
        f"command={command}",
        f"priority={program.priority}",
        "autorestart=true",
        "startsecs=1",
        "startretries=1000000",  # a program that cannot start yet is tried for ever, a little later each time
        f"stopwaitsecs={STOP_SECONDS}",
        "redirect_stderr=true",
        f"stdout_logfile={cluster.logs / program.name}.log",
        f"stdout_logfile_maxbytes={LOG_BYTES}",
        f"stdout_logfile_backups={LOG_BACKUPS}",
    ]


def _serving(cluster: Cluster, name: str) -> dict[str, object]:
    return {"tls-cert-file": cluster.pki / f"{name}.crt", "tls-private-key-file": cluster.pki / f"{name}.key"}


def _ours(package: str, flags: dict[str, object]) -> tuple[str, ...]:
    return (sys.executable, "-m", package, *(f"--{name}={value}" for name, value in flags.items()))


def _found(program: str) -> str:
    """The program's path, also where the caller's PATH leaves out the system directories."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") or program


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def supervisor_argv(cluster: Cluster) -> list[str]:
    return [*entering(cluster), str(Path(sys.executable).with_name("supervisord")), "-c", str(cluster.supervisor_config)]
