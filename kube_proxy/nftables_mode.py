"""Mode nftables, the default: one table for each family of addresses, changed by the difference in one transaction.

https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables · KEP-3866
"""

import errno
from collections.abc import Callable, Mapping, Sequence

from kube.api.meta import Key
from kube_proxy.claims import Claims, merged
from kube_proxy.layout import Settings, Slot, Value, slots
from kube_proxy.mode import to_its_end
from kube_proxy.nft_expression import IPV4, IPV6
from kube_proxy.nft_netlink import Refused
from kube_proxy.nftables import Table
from kube_proxy.rules import PortRule

WITHOUT = (errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)  # what a kernel without nftables or IPv6 says
Layout = Callable[[Sequence[PortRule], Settings], Mapping[Slot, Value]]  # what of a Service is in the table


class NftablesMode:
    def __init__(self, families: Sequence[Settings], layout: Layout = slots) -> None:
        self._families = [_OneFamily(settings, layout) for settings in families]

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        for one in self._families:
            one.take(service, rules)

    async def sync(self, *, whole: bool) -> None:
        for one in self._families:
            await to_its_end(one.sync, whole)

    async def intact(self) -> bool:
        return all([await to_its_end(one.table.intact) for one in self._families])

    async def close(self) -> None:
        for one in self._families:
            one.table.close()


class _OneFamily:
    def __init__(self, settings: Settings, layout: Layout) -> None:
        self.table = Table(settings)
        self._layout = layout
        self._settings = settings
        self._rules_family = "IPv6" if settings.family is IPV6 else "IPv4"
        self._claims: Claims[Key, Slot, Value] = Claims()
        self._taken: dict[Key, list[PortRule]] = {}  # since the last sync

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        self._taken[service] = [rule for rule in rules if rule.family == self._rules_family]

    def sync(self, whole: bool) -> None:
        """Blocks. What is refused is lost as a difference: the next sync must be a whole one."""
        taken, self._taken = self._taken, {}
        wanted = ((service, self._layout(rules, self._settings)) for service, rules in taken.items())
        if whole:
            self._claims.claim_all(wanted)
            self.table.replace(self._claims.items())
        else:
            self.table.apply(merged(change for service, slots in wanted for change in self._claims.claim(service, slots)))


def clean_up() -> None:
    """Remove the tables. Blocks."""
    for family in (IPV4, IPV6):
        table = Table(Settings(family=family))
        try:
            table.remove()
        except (Refused, OSError) as error:
            code = error.code if isinstance(error, Refused) else error.errno
            if code not in WITHOUT:
                raise
        finally:
            table.close()


def missing() -> str:
    """Why this host cannot have the mode; empty: it can. Blocks."""
    table = Table(Settings())
    try:
        table.probe()
    except (Refused, OSError) as error:
        return f"the kernel has no nftables for IPv4: {error}"
    finally:
        table.close()
    return ""
