"""Finding out whether an upstream server leads back here: then one question would go round for ever.

At the start each upstream is asked for a name that nobody else knows. Where the question comes back to us, that upstream is a loop:
it is asked no more, and a line in the log says what to do. The cluster's names go on being answered; CoreDNS, here, ends itself,
and a cluster whose host's resolv.conf points at its own stub resolver would have no DNS at all.
https://coredns.io/plugins/loop/#troubleshooting
"""

import random
from collections.abc import Iterable

from addons.dns import wire
from addons.dns.upstream import Upstream
from addons.dns.wire import Query
from kube.component.logging import get_logger

log = get_logger(__name__)


class LoopGuard:
    def __init__(self) -> None:
        self._probes: dict[bytes, Upstream] = {}

    def seen(self, query: Query) -> bool:
        """Whether a question is one of our probes, come back; its upstream is marked."""
        upstream = self._probes.get(query.name) if query.type == wire.HINFO else None
        if upstream is None:
            return False
        if not upstream.looping:
            upstream.looping = True
            what = f'Loop ({upstream} -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting.'
            log.error(f'{what} Query: "HINFO {wire.text_of(query.name)}"; this upstream is asked no more')
        return True

    async def probe(self, zone: bytes, upstreams: Iterable[Upstream]) -> None:
        """Ask each upstream for a name of its own. Whether it answers does not matter."""
        for one in upstreams:
            name = wire.from_labels(str(random.getrandbits(63)).encode() for _ in range(2))[:-1] + zone
            self._probes[name] = one
            try:
                await one.exchange(wire.question(name, wire.HINFO), tcp=False)
            except (OSError, TimeoutError):
                continue
