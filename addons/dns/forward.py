"""Forwarding: what is not the cluster's is asked of other name servers, through a cache.

The servers stand in the Corefile, or in a file like /etc/resolv.conf, which in a pod with dnsPolicy Default is the host's. Servers
on a loopback address in such a file are left out, with a warning: 127.0.0.53 of the host is, in the pod's network, the pod
itself. With no server left every question is answered with SERVFAIL; the cluster's own names do not come here.
https://coredns.io/plugins/forward/ · https://github.com/kubernetes/minikube/issues/3511
"""

import ipaddress
import time
from pathlib import Path

from addons.dns import metrics, wire
from addons.dns.cache import Cache
from addons.dns.settings import Caching, Forward, server_address
from addons.dns.upstream import NoAnswer, Upstream, Upstreams
from addons.dns.wire import Answer, Query
from kube.component.logging import get_logger

log = get_logger(__name__)

STUB = (
    "nameserver {} of {} is a resolver of the host alone: not forwarding to it; point the kubelet's --resolv-conf at the real one"
)


class Forwarder:
    """One zone's. Promise: a question that is in flight already is still asked; answers are the upstream's own bytes."""

    def __init__(self, settings: Forward, caching: Caching | None) -> None:
        self.settings = settings
        self.upstreams = Upstreams(servers(settings), settings.policy, settings.max_concurrent)
        self._cache = Cache(caching) if caching else None
        self._labels = (metrics.SERVER, wire.text_of(settings.zone), metrics.VIEW)

    def takes(self, name: bytes) -> bool:
        return wire.is_below(name, self.settings.zone) and not any(wire.is_below(name, one) for one in self.settings.exclude)

    def known(self, query: Query, limit: int) -> bytes | None:
        """The answer, if the cache has it."""
        if self._cache is None:
            return None
        server, zone, view = self._labels
        metrics.CACHE_REQUESTS.labels(server, zone, view).inc()
        found = self._cache.get(query, time.monotonic())
        if found is None:
            metrics.CACHE_MISSES.labels(server, zone, view).inc()
            return None
        kind, message = found
        metrics.CACHE_HITS.labels(server, kind, zone, view).inc()
        return message if len(message) <= limit else truncated(query)

    async def ask(self, query: Query, message: bytes, limit: int, *, tcp: bool) -> bytes:
        """The upstream's answer, or the refusal that stands for it."""
        if self.upstreams.full():
            metrics.REJECTED.inc()
            return wire.response(query, Answer(wire.REFUSED, authoritative=False), limit)
        try:
            answer = await self.upstreams.ask(message, tcp=tcp)
        except NoAnswer as error:
            log.error(f"{wire.text_of(query.name)} {wire.TYPE_NAMES.get(query.type, query.type)}: {error}")
            return wire.response(query, Answer(wire.SERVFAIL, authoritative=False), limit)
        if self._cache is not None:
            self._cache.put(query, answer, time.monotonic())
            for kind, entries in (("success", self._cache.answers), ("denial", self._cache.denials)):
                metrics.CACHE_ENTRIES.labels(self._labels[0], kind, *self._labels[1:]).set(len(entries))
        return answer if len(answer) <= limit else truncated(query)


def truncated(query: Query) -> bytes:
    """Ask again over TCP."""
    message = bytearray(wire.response(query, Answer(authoritative=False), wire.PLAIN_UDP_BYTES))
    message[2] |= wire.TRUNCATED >> 8
    return bytes(message)


def servers(settings: Forward) -> list[Upstream]:
    """Raises OSError where a file of servers cannot be read."""
    found: list[tuple[str, int]] = []
    for target in settings.to:
        if not target.startswith("/"):
            found.append(server_address(target))
            continue
        for address in nameservers(Path(target).read_text()):
            if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
                log.warning(STUB.format(address, target))
            else:
                found.append((address, 53))
    return [Upstream(host, port) for host, port in dict.fromkeys(found)]


def nameservers(text: str) -> list[str]:
    """Of a resolv.conf (resolv.conf(5)); what is no address is left out."""
    found = []
    for line in text.splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                try:
                    ipaddress.ip_address(address.partition("%")[0])
                except ValueError:
                    continue
                found.append(address)
    return found
