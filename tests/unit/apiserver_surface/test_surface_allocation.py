"""Addresses and ports: which are tried, and in which order."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from apiserver.allocation import cluster_ip, node_port

NETWORK = ipaddress.IPv4Network("10.96.0.0/24")


@given(st.floats(0, 1, exclude_max=True))
def test_every_usable_address_is_tried_once_and_the_low_band_last(start: float) -> None:
    """Rule: KEP-3070: the lower band is min(max(16, size/16), 256) addresses."""
    tried = list(cluster_ip.candidates(NETWORK, start))
    assert len(tried) == len(set(tried)) == 254
    low = {str(NETWORK[offset]) for offset in range(1, 16)}
    assert set(tried[-15:]) == low


@given(st.floats(0, 1, exclude_max=True))
def test_every_port_is_tried_once(start: float) -> None:
    ports = range(30000, 30010)
    assert sorted(node_port.candidates(ports, start)) == list(ports)


def test_ranges_that_are_ready_and_stay_are_allocated_from() -> None:
    """Rule: KEP-1880"""

    def a_range(name: str, cidr: str, ready: str = "True", **metadata: str) -> dict[str, object]:
        conditions = [{"type": "Ready", "status": ready}]
        return {"metadata": {"name": name, **metadata}, "spec": {"cidrs": [cidr]}, "status": {"conditions": conditions}}

    found = cluster_ip.ready_ranges([
        a_range("b", "10.2.0.0/24"), a_range("a", "10.1.0.0/24"), a_range("six", "fd00::/64"),
        a_range("new", "10.3.0.0/24", "False"),
        a_range("leaving", "10.4.0.0/24", deletionTimestamp="2026-01-01T00:00:00Z"),
        {"metadata": {"name": "untold"}, "spec": {"cidrs": ["10.5.0.0/24"]}},
    ])  # fmt: skip
    assert list(map(str, found)) == ["10.1.0.0/24", "10.2.0.0/24"]
