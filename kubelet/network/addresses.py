"""Addresses: which pod holds which address of the node's range. Pure; the world itself is the record.

An address that nobody has used yet comes first, then the one that was given back the longest time ago: what a client still
remembers of a pod that is gone leads nowhere, not to a stranger. Nothing is written down: what is held is read from the links
of the pods, so an address whose pod is gone is free again, whatever was killed when.
The first address of the range is the gateway, the last one broadcasts.
https://kubernetes.io/docs/concepts/cluster-administration/networking/ · host-local IPAM of the CNI plugins
"""

from collections import deque
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from kubelet.pod_network import NetworkFailure


class Addresses:
    def __init__(self, pod_cidr: IPv4Network, held: Mapping[str, IPv4Address], *, after: IPv4Address | None = None) -> None:
        """`held`: by pod uid; `after`: the address given out last, where the search goes on."""
        self._range = pod_cidr
        self._held = dict(held)
        self._free_again: deque[IPv4Address] = deque()
        self._unused = self._never_used(after, frozenset(held.values()))

    @property
    def gateway(self) -> IPv4Address:
        return self._range[1]

    @property
    def held(self) -> Mapping[str, IPv4Address]:
        return self._held

    def take(self, uid: str) -> IPv4Address:
        """The pod's address: the one it holds, or a free one. Raises NetworkFailure where there is none."""
        held = self._held.get(uid)
        if held is not None:
            return held
        address = next(self._unused, None)
        if address is None:
            if not self._free_again:
                raise NetworkFailure(f"no IP addresses available in range set: {self._range[2]}-{self._range[-2]}")
            address = self._free_again.popleft()
        self._held[uid] = address
        return address

    def release(self, uid: str) -> None:
        """Give the pod's address back; of a pod without one, nothing."""
        address = self._held.pop(uid, None)
        if address is not None:
            self._free_again.append(address)

    def _never_used(self, after: IPv4Address | None, used: frozenset[IPv4Address]) -> Iterator[IPv4Address]:
        """Once around the range, from behind `after`; what was held at the start has been used."""
        first, last = 2, self._range.num_addresses - 2
        count = last - first + 1
        start = int(after) - int(self._range[first]) + 1 if after is not None and after in self._range else 0
        for step in range(count):
            address = self._range[first + (start + step) % count]
            if address not in used:
                yield address


def hardware_address(address: IPv4Address) -> str:
    """A MAC made of the address: who takes an address over also takes over what neighbours remember of it."""
    return "0a:58:" + ":".join(f"{byte:02x}" for byte in address.packed)
