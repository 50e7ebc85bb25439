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
