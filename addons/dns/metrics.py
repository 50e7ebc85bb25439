"""Cluster DNS' metrics, under CoreDNS' names.

Requests are counted without locks or label look-ups: each kind of answer has a `Tally`, which a prepared answer carries with it; a
scrape adds the tallies up. https://coredns.io/plugins/metrics/
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

BUCKETS = tuple(0.00025 * 2**power for power in range(16))
SERVER, VIEW = "dns://:53", ""

UPSTREAM_SECONDS = Histogram(
    "coredns_proxy_request_duration_seconds",
    "Histogram of the time each request took.",
    ("proxy_name", "to", "rcode"),
    buckets=BUCKETS,
)
CACHE_HITS = Counter("coredns_cache_hits", "The count of cache hits.", ("server", "type", "zones", "view"))
CACHE_MISSES = Counter("coredns_cache_misses", "The count of cache misses.", ("server", "zones", "view"))
CACHE_REQUESTS = Counter("coredns_cache_requests", "The count of cache requests.", ("server", "zones", "view"))
CACHE_ENTRIES = Gauge("coredns_cache_entries", "The number of elements in the cache.", ("server", "type", "zones", "view"))
REJECTED = Counter("coredns_forward_max_concurrent_rejects", "Counter of the number of queries rejected for lack of room.")
RELOADS_FAILED = Counter("coredns_reload_failed", "Counter of the number of failed reload attempts.")
PLUGINS = Gauge(
    "coredns_plugin_enabled", "A metric that indicates whether a plugin is enabled.", ("server", "zone", "view", "name")
)


@dataclass
class Tally:
    """Answers of one kind: how many, and how long they took."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


@dataclass(frozen=True)
class AnswerKind:
    zone: str
    proto: str  # udp, tcp
    family: str  # 1: IPv4, 2: IPv6
    type: str  # A, AAAA, ..., other
    rcode: str
    plugin: str  # that answered


class Tallies(Collector):
    """All tallies of a process."""

    def __init__(self) -> None:
        self._tallies: dict[AnswerKind, Tally] = {}

    def of(self, kind: AnswerKind) -> Tally:
        found = self._tallies.get(kind)
        if found is None:
            found = self._tallies[kind] = Tally()
        return found

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "coredns_dns_requests",
            "Counter of DNS requests made per zone, protocol and family.",
            labels=("server", "zone", "view", "proto", "family", "type"),
        )
        responses = CounterMetricFamily(
            "coredns_dns_responses",
            "Counter of response status codes.",
            labels=("server", "zone", "view", "rcode", "plugin"),
        )
        durations = HistogramMetricFamily(
            "coredns_dns_request_duration_seconds",
            "Histogram of the time (in seconds) each request took per zone.",
            labels=("server", "zone", "view"),
        )
        by_request: dict[tuple[str, ...], int] = {}
        by_response: dict[tuple[str, ...], int] = {}
        by_zone: dict[str, Tally] = {}
        for kind, tally in self._tallies.items():
            count = sum(tally.buckets)
            asked = (SERVER, kind.zone, VIEW, kind.proto, kind.family, kind.type)
            said = (SERVER, kind.zone, VIEW, kind.rcode, kind.plugin)
            by_request[asked] = by_request.get(asked, 0) + count
            by_response[said] = by_response.get(said, 0) + count
            whole = by_zone.setdefault(kind.zone, Tally())
            whole.buckets = [a + b for a, b in zip(whole.buckets, tally.buckets, strict=True)]
            whole.seconds += tally.seconds
        for labels, value in by_request.items():
            requests.add_metric(labels, value)
        for labels, value in by_response.items():
            responses.add_metric(labels, value)
        for zone, tally in by_zone.items():
            durations.add_metric((SERVER, zone, VIEW), _cumulative(tally.buckets), tally.seconds)
        return requests, responses, durations


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    found, total = [], 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


TALLIES = Tallies()
REGISTRY.register(TALLIES)
