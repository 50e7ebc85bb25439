"""Policy text: a filter as nft reads it, and the difference of two filters as one transaction. Pure.

All in one table of its own. A transaction is taken as a whole or not at all, and no packet meets a state in between: what others
refer to comes first and goes last, and only chains whose rules differ are written anew.
https://wiki.nftables.org/wiki-nftables/index.php/Scripting
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from kubelet.network.policy import EGRESS, INGRESS, Filter

TABLE = "skiff-network-policy"

_SKELETON = """\
table ip {table} {{
	map egress-of {{ type ipv4_addr : verdict; }}
	map ingress-of {{ type ipv4_addr : verdict; }}
	set itself {{ type ipv4_addr . ipv4_addr; }}
	chain egress {{
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		ip saddr . ip daddr @itself accept
		ip saddr vmap @egress-of
	}}
	chain ingress {{
		type filter hook forward priority filter + 1; policy accept;
		ct state established,related accept
		ip saddr . ip daddr @itself accept
		ip daddr vmap @ingress-of
	}}
}}
"""


def whole(wanted: Filter) -> str:
    """The table made anew, whatever was there."""
    return f"table ip {TABLE}\ndelete table ip {TABLE}\n" + _SKELETON.format(table=TABLE) + change(Filter(), wanted)


def removal() -> str:
    return f"table ip {TABLE}\ndelete table ip {TABLE}\n"


def change(old: Filter, new: Filter) -> str:
    """From one filter to another; empty where they are the same."""
    return "".join(f"{line}\n" for line in _lines(old, new))


def _lines(old: Filter, new: Filter) -> Iterator[str]:
    retyped = {name for name in old.sets.keys() & new.sets.keys() if old.sets[name].type != new.sets[name].type}
    assert not retyped, "a set's name tells its type"
    for name in sorted(new.sets.keys() - old.sets.keys()):
        yield f"add set ip {TABLE} {name} {{ type {new.sets[name].type}; }}"
    for name in sorted(new.chains.keys() - old.chains.keys()):
        yield f"add chain ip {TABLE} {name}"
    for name in sorted(new.sets):
        before = old.sets[name].elements if name in old.sets else frozenset()
        yield from _elements("delete", name, before - new.sets[name].elements)
        yield from _elements("add", name, new.sets[name].elements - before)
    for name, rules in sorted(new.chains.items()):
        if old.chains.get(name) == rules:
            continue
        if name in old.chains:
            yield f"flush chain ip {TABLE} {name}"
        for rule in rules:
            yield f"add rule ip {TABLE} {name} {rule}"
    yield from _verdicts(EGRESS, old.egress, new.egress)
    yield from _verdicts(INGRESS, old.ingress, new.ingress)
    yield from _elements("delete", "itself", _itself(old) - _itself(new))
    yield from _elements("add", "itself", _itself(new) - _itself(old))
    gone = sorted(old.chains.keys() - new.chains.keys(), reverse=True)
    for name in gone:
        yield f"flush chain ip {TABLE} {name}"
    for name in gone:
        yield f"delete chain ip {TABLE} {name}"
    for name in sorted(old.sets.keys() - new.sets.keys()):
        yield f"delete set ip {TABLE} {name}"


def _elements(verb: str, name: str, elements: Iterable[str]) -> Iterator[str]:
    listed = ", ".join(sorted(elements))
    if listed:
        yield f"{verb} element ip {TABLE} {name} {{ {listed} }}"


def _verdicts(direction: str, old: Mapping[IPv4Address, str], new: Mapping[IPv4Address, str]) -> Iterator[str]:
    name = f"{direction}-of"
    changed = [address for address in old if new.get(address) != old[address]]
    yield from _elements("delete", name, map(str, changed))
    added = {address: chain for address, chain in new.items() if old.get(address) != chain}
    yield from _elements("add", name, (f"{address} : goto {chain}" for address, chain in added.items()))


def _itself(one: Filter) -> frozenset[str]:
    return frozenset(f"{address} . {address}" for address in one.ingress.keys() | one.egress.keys())
