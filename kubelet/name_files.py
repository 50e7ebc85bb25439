"""Name files: what a pod reads as /etc/hosts, /etc/resolv.conf and /etc/hostname. Pure texts.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ ·
https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/ · upstream pkg/kubelet/network/dns/dns.go
"""

from dataclasses import dataclass
from pathlib import Path

from kube.api.types import Pod

HOST_FILE = Path("/etc/hosts")
MAX_HOSTNAME = 63  # characters: a label's limit
MAX_KERNEL_NAME = 64
NDOTS = "ndots:5"
MAX_NAMESERVERS = 3
LOCAL_NAMES = (
    ("127.0.0.1", "localhost"),
    ("::1", "localhost ip6-localhost ip6-loopback"),
    ("fe00::0", "ip6-localnet"),
    ("fe00::0", "ip6-mcastprefix"),
    ("fe00::1", "ip6-allnodes"),
    ("fe00::2", "ip6-allrouters"),
)


class NameTooLong(ValueError):
    """A host's name that the kernel would not take."""


@dataclass(frozen=True)
class Resolver:
    """The lines of a resolv.conf."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [f"nameserver {one}" for one in self.nameservers]
        lines += [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "\n".join(lines) + "\n"


def parse_resolver(text: str) -> Resolver:
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split("#")[0].split()
        match words:
            case ["nameserver", address, *_]:
                servers.append(address)
            case ["search" | "domain", *names]:
                searches = tuple(names)
            case ["options", *values]:
                options = tuple(values)
    return Resolver(tuple(servers), searches, options)


def pod_resolver(pod: Pod, host: Resolver, cluster_dns: tuple[str, ...], cluster_domain: str) -> Resolver:
    """By dnsPolicy; ClusterFirst on the host's network, or without a cluster DNS, is Default; dnsConfig adds to any."""
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    cluster_first = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not pod.spec.hostNetwork)
    if policy == "None":
        base = Resolver()
    elif cluster_first and cluster_dns:
        namespace = pod.metadata.namespace
        own = (f"{namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}", cluster_domain) if cluster_domain else ()
        base = Resolver(cluster_dns, tuple(dict.fromkeys((*own, *host.searches))), (NDOTS,))
    else:
        base = Resolver(host.nameservers or ("127.0.0.1",), tuple(one for one in host.searches if one != "."), host.options)
    config = pod.spec.dnsConfig
    if config is None:
        return Resolver(base.nameservers[:MAX_NAMESERVERS], base.searches, base.options)
    options = {one.partition(":")[0]: one for one in base.options}
    options |= {one.name: f"{one.name}:{one.value}" if one.value else one.name for one in config.options or ()}
    return Resolver(
        tuple(dict.fromkeys((*base.nameservers, *(config.nameservers or ()))))[:MAX_NAMESERVERS],
        tuple(dict.fromkeys((*base.searches, *(config.searches or ())))),
        tuple(options.values()),
    )


def hostname(pod: Pod) -> str:
    name: str = pod.spec.hostnameOverride or pod.spec.hostname or pod.metadata.name
    return name[:MAX_HOSTNAME].rstrip("-.")


def fully_qualified(pod: Pod, cluster_domain: str) -> str:
    """`<hostname>.<subdomain>.<namespace>.svc.<domain>`, or nothing without a subdomain."""
    if not pod.spec.subdomain:
        return ""
    return f"{hostname(pod)}.{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def kernel_hostname(pod: Pod, cluster_domain: str) -> str:
    """What `hostname` prints in the pod. Raises NameTooLong."""
    full = fully_qualified(pod, cluster_domain)
    if not pod.spec.setHostnameAsFQDN or not full:
        return hostname(pod)
    if len(full) > MAX_KERNEL_NAME:
        limits = f"({MAX_KERNEL_NAME} characters is the max, {len(full)} characters requested)"
        raise NameTooLong(f"failed to construct FQDN from pod hostname and cluster domain, FQDN {full} is too long {limits}")
    return full


def hosts(pod: Pod, address: str, cluster_domain: str, of_host: str) -> str:
    """The kubelet's own /etc/hosts; `of_host` is the node's file, the base of a pod on the host's network."""
    if pod.spec.hostNetwork:
        text = "# Kubernetes-managed hosts file (host network).\n" + of_host
    else:
        lines = ["# Kubernetes-managed hosts file.", *("\t".join(pair) for pair in LOCAL_NAMES)]
        names = [name for name in (fully_qualified(pod, cluster_domain), hostname(pod)) if name]
        lines.append("\t".join([address, *names]))
        text = "\n".join(lines) + "\n"
    if pod.spec.hostAliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join("\t".join([one.ip, *(one.hostnames or ())]) + "\n" for one in pod.spec.hostAliases)
    return text
