"""Service route: a way to the Service range that ends on this node.

Connections to a cluster IP are led to an endpoint when they start. For that they need a route at all (a node without a default
route has none), and what no rule takes must not leave by the default route, to whoever has such an address there. A bridge
without ports takes both: every kernel that runs pods has bridges, and not every one has dummy devices. Our choice.
"""

import contextlib
import errno
from collections.abc import Iterator

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from kube_proxy.nft_expression import Network

DEVICE = "kube-svc0"
SCOPE_LINK = 253


def ensure(service_cidr: Network) -> None:
    """The device, up, and the route to it. Blocks."""
    with IPRoute() as ipr:
        with _ignoring(errno.EEXIST):
            ipr.link("add", ifname=DEVICE, kind="bridge")
        index = ipr.link("get", ifname=DEVICE)[0]["index"]
        ipr.link("set", index=index, state="up")
        ipr.route("replace", dst=str(service_cidr), oif=index, **({"scope": SCOPE_LINK} if service_cidr.version == 4 else {}))


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
