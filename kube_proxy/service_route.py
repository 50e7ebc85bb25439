"""Service route: a way to the Service ranges that ends on this node.

Connections to a cluster IP are led to an endpoint when they start. For that they need a route at all (a node without a default
route has none), and what no rule takes must not leave by the default route, to whoever has such an address there. A bridge
without ports takes both: every kernel that runs pods has bridges, and not every one has dummy devices. Ranges come and go with
ServiceCIDR objects, beside the first one, which a flag names. Our choice.
https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
"""

import asyncio
import contextlib
import errno
import ipaddress
from collections.abc import Iterable, Iterator

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from kube.api.types import ServiceCIDR
from kube.client.informer import Informer
from kube.client.rest import Client
from kube.component.logging import get_logger
from kube_proxy.nft_expression import Network

log = get_logger(__name__)

DEVICE = "kube-svc0"
SCOPE_LINK = 253
STATIC = 4  # RTPROT_STATIC: an administrator's, or a program's like this


class ServiceRanges:
    """Keeps the routes in step with the cluster's ServiceCIDRs."""

    def __init__(self, client: Client, standing: Iterable[Network]) -> None:
        self._standing = tuple(standing)  # there whatever the objects say
        self._versions = {one.version for one in self._standing}
        self._changed = asyncio.Event()
        self._informer = Informer(client, ServiceCIDR)
        self._informer.on_change(lambda old, new: self._changed.set())

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._informer.run())
            while True:
                await self._changed.wait()
                self._changed.clear()
                try:
                    await asyncio.to_thread(put, self._wanted())
                except (NetlinkError, OSError) as error:
                    log.error("routes to Service ranges refused", reason=error)

    def _wanted(self) -> list[Network]:
        stated = (ipaddress.ip_network(text) for one in self._informer.cache for text in one.spec.cidrs or ())
        return [*self._standing, *(one for one in stated if one.version in self._versions)]


def put(ranges: Iterable[Network]) -> None:
    """The device, up, and exactly these routes to it. Blocks."""
    wanted = {str(one): one for one in ranges}
    with IPRoute() as ipr:
        with _ignoring(errno.EEXIST):
            ipr.link("add", ifname=DEVICE, kind="bridge")
        index = ipr.link("get", ifname=DEVICE)[0]["index"]
        ipr.link("set", index=index, state="up")
        for text, one in wanted.items():
            ipr.route("replace", dst=text, oif=index, **_scope(one.version))
        for text in _held(ipr, index) - set(wanted):
            with _ignoring(errno.ESRCH):
                ipr.route("del", dst=text, oif=index, **_scope(ipaddress.ip_network(text).version))


def _scope(version: int) -> dict[str, int]:
    """IPv6 knows none."""
    return {"scope": SCOPE_LINK} if version == 4 else {}


def _held(ipr: IPRoute, index: int) -> set[str]:
    """What we put there: the kernel's own routes of a device are of another protocol."""
    found = (one for one in ipr.get_routes(oif=index) if one["proto"] == STATIC and one.get_attr("RTA_DST"))
    return {f"{one.get_attr('RTA_DST')}/{one['dst_len']}" for one in found}


def remove() -> None:
    """Delete the device, and with it the route; one that is not there is no error. Blocks."""
    with IPRoute() as ipr, _ignoring(errno.ENODEV):
        ipr.link("del", ifname=DEVICE)


@contextlib.contextmanager
def _ignoring(code: int) -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        if error.code != code:
            raise
