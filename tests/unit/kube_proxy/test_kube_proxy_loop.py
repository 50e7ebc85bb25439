"""The proxy's loop: what ends neither it nor the connections of its node."""

import asyncio
import errno
from collections.abc import Sequence

from pyroute2.netlink.exceptions import NetlinkError

from kube.api.meta import Key
from kube.api.types import EndpointSlice, Node, Service
from kube.api.views import view
from kube.client.informer import Informer, Informers
from kube.client.kubeconfig import Config
from kube.client.rest import Client
from kube_proxy.proxy import Proxy, trigger_of
from kube_proxy.rules import PortRule
from tests.wait import eventually


class Short:
    """A mode whose kernel is short of memory at first."""

    def __init__(self) -> None:
        self.syncs: list[bool] = []

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        """There are no Services."""

    async def sync(self, *, whole: bool) -> None:
        self.syncs.append(whole)
        if len(self.syncs) == 1:
            raise NetlinkError(errno.ENOMEM, "there is no room")

    async def intact(self) -> bool:
        if len(self.syncs) == 2:
            raise NetlinkError(errno.ENOBUFS, "there is no room again")
        return True

    async def close(self) -> None:
        """Nothing is open."""


def test_a_kernel_that_refuses_is_asked_again_for_everything() -> None:
    """Rule: upstream pkg/proxy/nftables/proxier.go syncProxyRules: a failed sync is a full one, later"""

    async def scenario() -> None:
        client, mode = Client(Config()), Short()
        informers, own_node = Informers(client), Informer(client, Node)
        proxy = Proxy(informers, "n", own_node, mode, pace=0.0, sync_period=0.01)
        for informer in (informers.of(Service), informers.of(EndpointSlice), own_node):
            informer.synced.set()
        running = asyncio.create_task(proxy.run())

        async def asked() -> bool:
            return mode.syncs == [True, True, True]

        await eventually(asked, within=5)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    asyncio.run(scenario())


def test_what_is_no_moment_is_no_trigger() -> None:
    """# what if somebody writes a time without its zone on a slice: every node's proxy reads it

    Rule: https://kubernetes.io/docs/reference/labels-annotations-taints/#endpoints-kubernetes-io-last-change-trigger-time
    """

    def told(text: str) -> EndpointSlice:
        metadata = {"annotations": {"endpoints.kubernetes.io/last-change-trigger-time": text}}
        return view(EndpointSlice, {"metadata": metadata, "addressType": "IPv4", "endpoints": []})

    assert trigger_of(told("2026-01-02T03:04:05Z")) is not None
    assert [trigger_of(told(text)) for text in ("2026-01-02T03:04:05", "2026-01-02", "soon", "")] == [None] * 4
