"""nftables: from changes of the layout to one transaction in the kernel.

The order within a transaction: what others refer to comes first and goes last. Elements that go are deleted before elements
come, so that a key may change its value; the kernel shows all of it at once, so no packet meets a state in between.
The table is ours alone: it is made anew as a whole at the start and after a refused transaction. If somebody else removes it,
`intact` tells.
"""

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import repeat
from typing import Any, cast

from kube_proxy import nft_netlink as netlink
from kube_proxy.claims import Change
from kube_proxy.layout import SetSpec, Settings, Slot, Value, Verdict, spec_of, standing_sets
from kube_proxy.nft_expression import IPV4, LIST_ELEMENT, Family, Rule, rule_code, rule_text, verdict_attributes
from kube_proxy.nft_netlink import Batch, Refused, nested, number, text
from kube_proxy.skeleton import HOOKS, chains

TABLE = "kube-proxy"
ELEMENTS_PER_MESSAGE = 400  # an attribute's length has 16 bits
MAP, TIMEOUT, DYNAMIC = 0x8, 0x10, 0x20
VERDICT_TYPE = 0xFFFFFF00
TYPES = {
    "ipv4_addr": (7, 4),
    "ipv6_addr": (8, 16),
    "inet_proto": (12, 1),
    "inet_service": (13, 2),
    "mark": (19, 4),
}  # libnftables' number, bytes
TYPE_BITS = 6
KEY, DATA, VALUE = 1, 2, 1  # attributes: of an element, and of what it holds
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}

Changes = Sequence[Change[Slot, Value]]


class Table:
    """The table in this network namespace. Every method blocks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channel = netlink.Channel()
        self._handle: int | None = None  # of the table that we made

    def replace(self, items: Iterable[tuple[Slot, Value]]) -> None:
        """Make the table anew, with exactly these contents, in one transaction. Raises Refused."""
        self._channel.commit(replacement(items, self._settings))
        self._handle = self._channel.table_handle(self._settings.family.number, TABLE)

    def apply(self, changes: Changes) -> None:
        """Apply changes, all or none. Raises Refused."""
        self._channel.commit(alteration(changes, self._settings.family))

    def intact(self) -> bool:
        """Whether the table is still the one that we made."""
        return self._handle is not None and self._channel.table_handle(self._settings.family.number, TABLE) == self._handle

    def probe(self) -> None:
        """Make a table and delete it in one transaction: whether the kernel takes any. Raises Refused."""
        batch = Batch(self._settings.family.number)
        for kind in (netlink.NEWTABLE, netlink.DELTABLE):
            flags = netlink.CREATE if kind == netlink.NEWTABLE else 0
            batch.add(kind, text(1, f"{TABLE}-probe"), "table", flags=flags)
        self._channel.commit(batch)

    def close(self) -> None:
        """Let go of the kernel; the table stays."""
        self._channel.close()

    def remove(self) -> None:
        """Delete the table; one that is not there is no error."""
        batch = Batch(self._settings.family.number)
        _table(batch, netlink.DELTABLE)
        try:
            self._channel.commit(batch)
        except Refused as refused:
            if refused.code != errno.ENOENT:
                raise


def replacement(items: Iterable[tuple[Slot, Value]], settings: Settings) -> Batch:
    """The whole table in place of the one that may be there. Pure."""
    batch = Batch(settings.family.number)
    _table(batch, netlink.NEWTABLE)  # so that there is one to delete
    _table(batch, netlink.DELTABLE)
    _table(batch, netlink.NEWTABLE)
    for name, spec in standing_sets(settings.family).items():
        _new_set(batch, name, spec)
    standing = chains(settings)
    for name in standing:
        _new_chain(batch, name)
    for name, rules in standing.items():
        _new_rules(batch, name, rules)
    by_kind: dict[str, list[tuple[Slot, Value]]] = {"set": [], "chain": [], "element": []}
    for item in items:
        by_kind[item[0].kind].append(item)
    for slot, value in by_kind["set"]:
        _new_set(batch, slot.name, cast("SetSpec", value))
    for slot, _ in by_kind["chain"]:
        _new_chain(batch, slot.name)
    for slot, value in by_kind["chain"]:
        _new_rules(batch, slot.name, cast("tuple[Rule, ...]", value))
    _elements(batch, netlink.NEWSETELEM, by_kind["element"], settings.family)
    return batch


def alteration(changes: Changes, family: Family = IPV4) -> Batch:
    """The messages for some changes. Pure."""
    batch = Batch(family.number)
    elements = [change for change in changes if change.slot.kind == "element"]
    sets = [change for change in changes if change.slot.kind == "set"]
    of_chains = [change for change in changes if change.slot.kind == "chain"]
    for change in sets:
        if change.new is not None:
            assert isinstance(change.new, SetSpec), "a set's slot holds its form"
            _new_set(batch, change.slot.name, change.new)
    for change in of_chains:
        if change.old is None:
            _new_chain(batch, change.slot.name)
    _elements(batch, netlink.DELSETELEM, [(one.slot, one.old) for one in elements if one.old is not None], family)
    for change in of_chains:
        if change.old is not None:
            _flush_chain(batch, change.slot.name)
    for change in of_chains:
        if change.new is not None:
            _new_rules(batch, change.slot.name, cast("tuple[Rule, ...]", change.new))
    _elements(batch, netlink.NEWSETELEM, [(one.slot, one.new) for one in elements if one.new is not None], family)
    for change in of_chains:
        if change.new is None:
            _chain(batch, netlink.DELCHAIN, change.slot.name)
    for change in sets:
        if change.new is None:
            name = change.slot.name
            batch.add(netlink.DELSET, text(1, TABLE) + text(2, name), f"delete set {name}")
    return batch


def _table(batch: Batch, kind: int) -> None:
    flags = netlink.CREATE if kind == netlink.NEWTABLE else 0
    batch.add(kind, text(1, TABLE), "table", flags=flags)


def _new_chain(batch: Batch, name: str) -> None:
    hook = HOOKS.get(name)
    attributes = b""
    if hook is not None:
        attributes = nested(4, number(1, hook.number), number(2, hook.priority)) + number(5, 1) + text(7, hook.type)
    _chain(batch, netlink.NEWCHAIN, name, attributes)


def _chain(batch: Batch, kind: int, name: str, attributes: bytes = b"") -> None:
    flags = netlink.CREATE if kind == netlink.NEWCHAIN else 0
    batch.add(kind, text(1, TABLE) + text(3, name) + attributes, f"chain {name}", flags=flags)


def _new_rules(batch: Batch, chain: str, rules: Iterable[Rule]) -> None:
    for rule in rules:
        payload = text(1, TABLE) + text(2, chain) + nested(4, rule_code(rule))
        batch.add(netlink.NEWRULE, payload, f"chain {chain}: {rule_text(rule)}", flags=netlink.CREATE | netlink.APPEND)


def _flush_chain(batch: Batch, chain: str) -> None:
    batch.add(netlink.DELRULE, text(1, TABLE) + text(2, chain), f"flush chain {chain}")


def _new_set(batch: Batch, name: str, spec: SetSpec) -> None:
    key_type, key_length = _type(spec.key)
    flags = (MAP if spec.value else 0) | (TIMEOUT | DYNAMIC if spec.timeout else 0)
    payload = text(1, TABLE) + text(2, name) + number(3, flags) + number(4, key_type) + number(5, key_length)
    if spec.value == ("verdict",):
        payload += number(6, VERDICT_TYPE) + number(7, 0)
    elif spec.value:
        value_type, value_length = _type(spec.value)
        payload += number(6, value_type) + number(7, value_length)
    batch.add(netlink.NEWSET, payload + number(10, len(batch) + 1), f"set {name}", flags=netlink.CREATE)


def _type(fields: Sequence[str]) -> tuple[int, int]:
    """libnftables' number for a concatenation of types, and its length: every field takes whole words."""
    number_of, length = 0, 0
    for field in fields:
        number_of = number_of << TYPE_BITS | TYPES[field][0]
        length += (TYPES[field][1] + 3) & ~3
    return number_of, length


def _elements(batch: Batch, kind: int, found: Iterable[tuple[Slot, Value]], family: Family) -> None:
    by_set: dict[str, list[tuple[Any, Any]]] = {}
    for (_, name, key), value in found:
        by_set.setdefault(name, []).append((key, value))
    verb = "add to" if kind == netlink.NEWSETELEM else "delete from"
    flags = netlink.CREATE if kind == netlink.NEWSETELEM else 0
    for name, elements in by_set.items():
        spec, head = spec_of(name, family), text(1, TABLE) + text(2, name)
        for start in range(0, len(elements), ELEMENTS_PER_MESSAGE):
            some = elements[start : start + ELEMENTS_PER_MESSAGE]
            what = f"{verb} {name}: {some[0][0]}" + (f" and {len(some) - 1} more" if len(some) > 1 else "")
            batch.add(kind, head + nested(3, *_encoded(some, spec)), what, flags=flags)


def _encoded(elements: Sequence[tuple[Any, Any]], spec: SetSpec) -> Iterator[bytes]:
    """Each as nested(LIST_ELEMENT, its key, its value). There are tens of thousands of them, so no Python runs for each: the
    elements are taken field by field, and all of one field are converted in one go. Verdicts differ in length: they come last.
    """
    keys, values = zip(*elements, strict=True)
    to_verdicts = spec.value == ("verdict",)
    form, columns = "=HH", list[Iterator[Any]]()
    for kind, fields, rows in ((KEY, spec.key, keys), (DATA, () if to_verdicts else spec.value, values)):
        if fields:
            length = _type(fields)[1]
            form += "8s" + "".join(_FIELDS[field][0] for field in fields)
            columns.append(repeat(_HEAD.pack(length + 8, kind | netlink.NESTED, length + 4, VALUE)))
            columns += [map(_FIELDS[field][1], column) for field, column in zip(fields, zip(*rows, strict=True), strict=True)]
    whole = struct.Struct(form)
    after = [*map(_verdict, values)] if to_verdicts else [b""] * len(keys)
    sizes = [whole.size + len(one) for one in after]
    return map(bytes.__add__, map(whole.pack, sizes, repeat(LIST_ELEMENT | netlink.NESTED), *columns), after)


@cache
def _verdict(verdict: Verdict) -> bytes:
    return nested(2, verdict_attributes(verdict.code, verdict.chain))


# How each type is written into an element: its part of a struct, and what makes that of our value. Every field takes whole words.
_HEAD = struct.Struct("=HHHH")  # of nested(kind, attribute(VALUE, ...))
_PROTOCOL = {name: bytes((value, 0, 0, 0)) for name, value in PROTOCOLS.items()}
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ipv4_addr": ("4s", socket.inet_aton),
    "ipv6_addr": ("16s", partial(socket.inet_pton, socket.AF_INET6)),
    "inet_proto": ("4s", _PROTOCOL.__getitem__),
    "inet_service": ("H2x", socket.htons),
    "mark": ("I", int),
}
