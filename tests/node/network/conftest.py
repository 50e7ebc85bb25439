"""Fixtures of the pod network's tests: a namespace of the test's own, with an outside world, and processes to connect as pods."""

from collections.abc import Callable, Iterator

import pytest

from tests.node.network.namespace import PodProcess, own_namespace, run

OUTSIDE_MTU = 1400


@pytest.fixture
def node() -> Iterator[None]:
    """A namespace with a default route, as a node has one."""
    with own_namespace():
        run(f"ip link add outside type bridge; ip link set outside mtu {OUTSIDE_MTU} up")
        run("ip addr add 192.0.2.10/24 dev outside; ip route add default via 192.0.2.1")
        yield


@pytest.fixture
def a_process(node: None) -> Iterator[Callable[..., PodProcess]]:
    """Makes processes with network namespaces of their own: `a_process("web-0", 8080)`."""
    made: list[PodProcess] = []

    def make(name: str, *ports: int) -> PodProcess:
        made.append(PodProcess(name, *ports))
        made[-1].wait_ready()
        return made[-1]

    yield make
    for one in made:
        one.stop()
