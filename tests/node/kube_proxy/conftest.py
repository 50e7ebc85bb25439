"""Fixtures of kube-proxy's tests: a node in a network namespace of its own."""

from collections.abc import Iterator

import pytest

from tests.node.kube_proxy.service_node import ServiceNode
from tests.node.network.namespace import own_namespace


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[ServiceNode]:
    """Started, with a pod network and no Service; the mode is the parameter, by default nftables."""
    with own_namespace():
        one = ServiceNode(getattr(request, "param", "nftables"))
        try:
            one.start()
            yield one
        finally:
            one.stop()
