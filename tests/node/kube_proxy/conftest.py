"""Fixtures of kube-proxy's tests: a node in a network namespace of its own."""

from collections.abc import Iterator

import pytest

from tests.node.kube_proxy.service_node import ServiceNode
from tests.node.network.namespace import own_namespace


@pytest.fixture
def node() -> Iterator[ServiceNode]:
    """Started, with a pod network and an empty table of rules."""
    with own_namespace():
        one = ServiceNode()
        try:
            one.start()
            yield one
        finally:
            one.stop()
