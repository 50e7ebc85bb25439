"""The names of a cluster, as Kubernetes' DNS specification 1.1.0 has them. Pure: from a name and a type to an answer.

    <service>.<ns>.svc.<domain>                 A, AAAA   the cluster IPs; of a headless Service its ready endpoints
    <endpoint>.<service>.<ns>.svc.<domain>      A, AAAA   one endpoint: its hostname, else its address with dashes
    _<port>._<proto>.<service>.<ns>.svc.<domain>  SRV     named ports; also without the first two labels: all of them
    an ExternalName Service                     CNAME     to its external name
    <1-2-3-4>.<ns>.pod.<domain>                 A, AAAA   what the name says ("pods insecure"), in a namespace that exists
    dns-version.<domain>                        TXT       "1.1.0"
    4.3.2.1.in-addr.arpa, ….ip6.arpa            PTR       a cluster IP's Service; else the names of the endpoints that have it

A name that is there without records of the type asked for has no data (NOERROR); any other is NXDOMAIN; both with the zone's
SOA. A headless Service without a ready endpoint is NXDOMAIN. A reverse name that nobody has may be left to others.
https://github.com/kubernetes/dns/blob/master/docs/specification.md · https://coredns.io/plugins/kubernetes/
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from addons.dns import wire
from addons.dns.cluster import Address, Backend, Known, cluster_ips, is_headless
from addons.dns.wire import Answer, Record
from kube.api.types import Service

SCHEMA_VERSION = "1.1.0"
IN_ADDR, IP6 = wire.name_of("in-addr.arpa"), wire.name_of("ip6.arpa")
REVERSE_ZONES = (IN_ADDR, IP6)
PRIORITY, WHOLE_WEIGHT = 0, 100
PODS_DISABLED, PODS_INSECURE = "disabled", "insecure"


@dataclass(frozen=True)
class Zone:
    """One zone of the cluster's names: its domain, or a reverse one."""

    origin: bytes
    domain: bytes  # of the names that are told; of a reverse zone, what its records point into
    known: Known
    ttl: int = 5  # seconds; CoreDNS's default, kubeadm's Corefile says 30
    pods: str = PODS_DISABLED

    def answer(self, name: bytes, kind: int, serial: int) -> Answer:
        records = self._records(name, kind)
        if records is None:
            return Answer(wire.NXDOMAIN, authority=(self._soa(serial),))
        if name == self.origin and kind == wire.SOA:
            return Answer(answers=(self._soa(serial),))
        alias = tuple(one for one in records if one.type == wire.CNAME)
        found = alias or tuple(one for one in records if kind in (one.type, wire.ANY))
        if not found:
            return Answer(authority=(self._soa(serial),))
        return Answer(answers=found, additional=self._targets(found))

    def subject(self, name: bytes) -> str:
        """The Service, as namespace/name, whose changes alone can change what is said of a name; empty: any change can."""
        if self.origin in REVERSE_ZONES:
            return ""
        match self._labels(name):
            case [*_, service, namespace, "svc"]:
                return f"{namespace}/{service}"
        return ""

    def _labels(self, name: bytes) -> list[str]:
        """Those before the zone's own."""
        return [label.decode("latin-1") for label in wire.labels_of(name[: len(name) - len(self.origin)] + b"\0")]

    def _records(self, name: bytes, kind: int) -> list[Record] | None:
        """What a name has of this type and maybe of others; None where the name is not there."""
        if self.origin in REVERSE_ZONES:
            return self._reverse(name)
        match self._labels(name):
            case []:
                return [Record(name, wire.NS, self.ttl, wire.name_of("ns.dns")[:-1] + self.origin)]
            case ["svc"]:
                return []
            case ["pod"] if self.pods != PODS_DISABLED:
                return []
            case ["dns-version"]:
                return [Record(name, wire.TXT, self.ttl, wire.text_data(SCHEMA_VERSION))]
            case [namespace, "svc" | "pod" as branch] if branch == "svc" or self.pods != PODS_DISABLED:
                return [] if self.known.has_namespace(namespace) else None
            case [dashed, namespace, "pod"] if self.pods != PODS_DISABLED:
                return self._pod(name, dashed) if self.known.has_namespace(namespace) else None
            case [*front, service, namespace, "svc"]:
                return self._service(name, kind, front, service, namespace)
        return None

    def _pod(self, name: bytes, dashed: str) -> list[Record] | None:
        for separator in (".", ":"):
            try:
                return [wire.address_record(name, ipaddress.ip_address(dashed.replace("-", separator)), self.ttl)]
            except ValueError:
                continue
        return None

    def _service(self, name: bytes, kind: int, front: list[str], service_name: str, namespace: str) -> list[Record] | None:
        service = self.known.service(namespace, service_name)
        if service is None:
            return None
        if service.spec.type == "ExternalName":
            return self._external(name, service) if not front else None
        host = name if not front else self._host(service_name, namespace)
        headless = is_headless(service)
        backends = self.known.backends(namespace, service_name) if headless or front else []
        if headless and not backends:
            return None
        match front:
            case []:
                own = [one.address for one in backends] if headless else map(ipaddress.ip_address, cluster_ips(service))
                addresses = [wire.address_record(name, one, self.ttl) for one in dict.fromkeys(own)]
                return addresses + (self._ports(name, host, service, backends, "", "") if kind in (wire.SRV, wire.ANY) else [])
            case [proto] if proto in ("_tcp", "_udp", "_sctp"):
                return (
                    [] if any(one.type == wire.SRV for one in self._ports(name, host, service, backends, "", proto[1:])) else None
                )
            case [port, proto] if port.startswith("_") and proto.startswith("_"):
                return self._ports(name, host, service, backends, port[1:], proto[1:]) or None
            case [endpoint]:
                found = dict.fromkeys(one.address for one in backends if one.name.lower() == endpoint)
                return [wire.address_record(name, one, self.ttl) for one in found] or None
        return None

    def _external(self, name: bytes, service: Service) -> list[Record] | None:
        """An address is no name: it has no answer, as upstream has none."""
        target = service.spec.externalName or ""
        try:
            ipaddress.ip_address(target)
        except ValueError:
            return [Record(name, wire.CNAME, self.ttl, wire.name_of(target))]
        return None

    def _ports(
        self, name: bytes, host: bytes, service: Service, backends: Iterable[Backend], port: str, proto: str
    ) -> list[Record]:
        """SRV records: of the Service itself, or of each endpoint of a headless one. An empty port or proto matches any."""
        if is_headless(service):
            offers = [(_below(one.name, host), offer) for one in backends for offer in one.ports]
        else:
            own = [(one.name or "", (one.protocol or "TCP").lower(), one.port) for one in service.spec.ports or ()]
            offers = [(host, offer) for offer in own]
        wanted = [(to, number) for to, (called, protocol, number) in offers if port in ("", called) and proto in ("", protocol)]
        wanted = list(dict.fromkeys(wanted))
        weight = max(1, WHOLE_WEIGHT // len(wanted)) if wanted else 0
        return [Record(name, wire.SRV, self.ttl, wire.service_data(number, weight, to, PRIORITY)) for to, number in wanted]

    def _targets(self, found: Iterable[Record]) -> tuple[Record, ...]:
        """The addresses of what SRV records point at, so that nobody has to ask for them."""
        targets = dict.fromkeys(one.data[6:] for one in found if one.type == wire.SRV)
        records = [record for target in targets for record in self._records(target, wire.A) or ()]
        return tuple(one for one in records if one.type in (wire.A, wire.AAAA))

    def _reverse(self, name: bytes) -> list[Record] | None:
        if name == self.origin:
            return []
        address = address_of(name)
        if address is None:
            return None
        names = [self._host(key.name, key.namespace) for key in self.known.services_at(address)]
        if not names:
            found = self.known.backends_at(address)
            names = [_below(backend, self._host(key.name, key.namespace)) for key, backend in found]
        return [Record(name, wire.PTR, self.ttl, one) for one in names] or None

    def _host(self, service: str, namespace: str) -> bytes:
        return wire.name_of(f"{service}.{namespace}.svc")[:-1] + self.domain

    def _soa(self, serial: int) -> Record:
        data = wire.authority_data(
            wire.name_of("ns.dns")[:-1] + self.origin, wire.name_of("hostmaster")[:-1] + self.origin, serial, self.ttl
        )
        return Record(self.origin, wire.SOA, self.ttl, data)


def _below(label: str, name: bytes) -> bytes:
    return wire.name_of(label)[:-1] + name


def address_of(reverse: bytes) -> Address | None:
    """4.3.2.1.in-addr.arpa to 1.2.3.4, and the nibbles of ip6.arpa likewise; None for what is no whole address."""
    labels = [label.decode("latin-1") for label in wire.labels_of(reverse)]
    digits = labels[:-2][::-1]
    try:
        if wire.is_below(reverse, IN_ADDR) and len(digits) == 4:
            return ipaddress.IPv4Address(".".join(digits))
        if wire.is_below(reverse, IP6) and len(digits) == 32 and all(len(one) == 1 for one in digits):
            return ipaddress.IPv6Address(bytes.fromhex("".join(digits)))
    except ValueError:
        return None
    return None
