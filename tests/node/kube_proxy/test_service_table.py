"""The table in the kernel: how it reads, that changes lead where building anew leads, its cost, and what is left after it."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from kube.api.meta import Key
from kube.api.types import EndpointSlice, Service
from kube_proxy import service_route
from kube_proxy.claims import Claims, merged
from kube_proxy.layout import Slot, Value, slots
from kube_proxy.nft_expression import Rule, rule_text
from kube_proxy.nft_netlink import Refused
from kube_proxy.nftables import Table
from kube_proxy.rules import rules
from kube_proxy.start import clean_up
from tests.node.kube_proxy.service_node import SETTINGS
from tests.node.network.namespace import own_namespace, run, world
from tests.unit.kube_proxy.objects import HERE, NODE, a_port, a_service, a_slice, an_endpoint

pytestmark = pytest.mark.root
GOLDEN = Path(__file__).parent / "golden"
ALLOWED = ("ClientIP", "None")


@pytest.fixture
def table() -> Iterator[Table]:
    with own_namespace():
        one = Table(SETTINGS)
        one.replace([])
        yield one
        one.close()


def of(service: Service, *slices: EndpointSlice) -> dict[Slot, Value]:
    return slots(rules(service, slices, HERE), SETTINGS)


def listing() -> list[Any]:
    """The table as nft tells it, without handles, in an order that does not depend on when things came."""
    found = json.loads(run("nft -j list table ip kube-proxy"))["nftables"]
    texts = [json.dumps(_plain(one), sort_keys=True) for one in found if "rule" not in one]
    by_chain: dict[str, list[str]] = {}
    for one in found:
        if "rule" in one:
            by_chain.setdefault(one["rule"]["chain"], []).append(json.dumps(_plain(one), sort_keys=True))
    return [sorted(texts), sorted(by_chain.items())]


def _plain(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {
            name: sorted((_plain(one) for one in value), key=repr) if name == "elem" else _plain(value)
            for name, value in tree.items()
            if name not in ("handle", "expires")
        }
    return [_plain(one) for one in tree] if isinstance(tree, list) else tree


def test_table_reads_as_the_golden_file_says(table: Table) -> None:
    """One Service of every kind. To write the file anew, delete it and run this test."""
    far = an_endpoint("10.244.2.2", node="node-2", ready=True)
    plain = of(a_service(), a_slice("10.244.1.2", far))
    named = of(a_service("dns", "10.96.0.11", a_port(53, protocol="UDP")), a_slice("10.244.1.3", protocol="UDP", service="dns"))
    sticky = of(a_service("sticky", "10.96.0.12", sessionAffinity="ClientIP"), a_slice("10.244.1.2", far, service="sticky"))
    local = of(
        a_service("local", "10.96.0.13", a_port(80, node_port=30080), externalTrafficPolicy="Local", internalTrafficPolicy="Local"),
        a_slice("10.244.1.2", far, service="local"),
    )
    empty = of(a_service("empty", "10.96.0.14", a_port(80, node_port=30081)))
    guarded = of(
        a_service("guarded", "10.96.0.15", balancer=("203.0.113.7",), loadBalancerSourceRanges=["192.0.2.0/24"]),
        a_slice("10.244.1.2", service="guarded"),
    )
    claims: Claims[str, Slot, Value] = Claims()
    for number, wanted in enumerate((plain, named, sticky, local, empty, guarded)):
        claims.claim(str(number), wanted)
    table.replace(claims.items())
    shown, golden = run("nft list table ip kube-proxy"), GOLDEN / "one_of_each.nft"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert _sorted_elements(shown) == _sorted_elements(golden.read_text())


def _sorted_elements(text: str) -> list[str]:
    """nft lists elements in the order of the kernel's hash, which differs from run to run."""
    return sorted(line.strip(" \t,").removeprefix("elements = { ").removesuffix(" }") for line in text.splitlines())


def test_rules_read_in_the_kernel_as_they_read_here(table: Table) -> None:
    """What a part says of itself in text is what its code means: nft's own reading of every chain."""
    claims: Claims[str, Slot, Value] = Claims()
    local = a_service("local", "10.96.0.13", a_port(80, node_port=30080), externalTrafficPolicy="Local", sessionAffinity="ClientIP")
    claims.claim("local", of(local, a_slice("10.244.1.2", "10.244.1.3", service="local")))
    claims.claim("plain", of(a_service(), a_slice("10.244.1.2", "10.244.1.3")))
    table.replace(claims.items())
    listed = {line.strip().replace("3h", "10800s") for line in run("nft list table ip kube-proxy").splitlines()}
    chains = (cast("tuple[Rule, ...]", value) for slot, value in claims.items() if slot.kind == "chain")
    said = {rule_text(rule) for rules_of_chain in chains for rule in rules_of_chain}
    assert said
    assert said <= listed


@pytest.mark.parametrize("seed", range(4))
def test_changes_one_by_one_lead_to_the_table_built_anew(table: Table, seed: int) -> None:
    """A hundred changes of a handful of Services, drawn by chance, each one transaction."""
    chance = random.Random(seed)
    claims: Claims[Key, Slot, Value] = Claims()
    for _ in range(100):
        key, wanted = _drawn(chance)
        table.apply(merged(claims.claim(key, wanted)))
    changed = listing()
    table.replace(claims.items())
    assert listing() == changed
    for key in claims.owners():
        table.apply(claims.claim(key, {}))
    emptied = listing()
    table.replace([])
    assert listing() == emptied


def _drawn(chance: random.Random) -> tuple[Key, dict[Slot, Value]]:
    number = chance.randrange(5)
    name = f"s{number}"
    if chance.random() < 0.2:
        return Key("default", name), {}
    port = a_port(80, node_port=chance.choice((0, 30000 + number, 30100)), protocol=chance.choice(("TCP", "UDP")))
    spec = {
        "sessionAffinity": chance.choice(ALLOWED),
        "externalTrafficPolicy": chance.choice(("Local", "Cluster")),
        "internalTrafficPolicy": chance.choice(("Local", "Cluster")),
        "externalIPs": chance.choice(([], ["198.51.100.5"])),
        "loadBalancerSourceRanges": chance.choice(([], ["192.0.2.0/24"])),
    }
    service = a_service(name, f"10.96.0.{10 + number}", port, balancer=chance.choice(((), ("203.0.113.7",))), **spec)
    ends = [
        an_endpoint(f"10.244.1.{last}", node=chance.choice((NODE, "far")), ready=True) for last in chance.sample(range(2, 9), 4)
    ]
    slice_ = a_slice(*ends[: chance.randrange(5)], protocol=port.get("protocol", "TCP"), service=name)
    return Key("default", name), of(service, slice_)


def test_refused_transaction_changes_nothing_and_says_what_was_wrong(table: Table) -> None:
    before = run("nft list table ip kube-proxy")
    claims: Claims[str, Slot, Value] = Claims()
    changes = claims.claim("web", of(a_service(), a_slice("10.244.1.2")))
    without_the_map = [change for change in changes if change.slot.kind != "set"]
    with pytest.raises(Refused, match=r"chain cluster-1: dnat .* No such file or directory"):
        table.apply(without_the_map)
    assert run("nft list table ip kube-proxy") == before
    table.apply(changes)
    assert "cluster-1" in run("nft list table ip kube-proxy")


def test_removed_table_is_noticed(table: Table) -> None:
    """As `nft flush ruleset` removes it, or somebody who makes one of the same name."""
    assert table.intact()
    run("nft flush ruleset")
    assert not table.intact()
    run("nft add table ip kube-proxy")
    assert not table.intact()
    table.replace([])
    assert table.intact()


def test_foreign_rules_are_neither_read_nor_touched(table: Table) -> None:
    """Both of iptables' kinds, and rules that iptables itself cannot list.  Rule: field lesson, mixed iptables"""
    run("iptables-nft -A INPUT -s 192.0.2.99 -j DROP; nft add table inet other; nft add chain inet other one")
    run("nft add rule inet other one tcp dport { 22, 80 } counter")
    foreign = run("nft list table inet other; nft list table ip filter")
    table.replace([])
    table.apply(Claims[str, Slot, Value]().claim("web", of(a_service(), a_slice("10.244.1.2"))))
    table.remove()
    assert run("nft list table inet other; nft list table ip filter") == foreign


def test_clean_up_leaves_the_world_as_it_was() -> None:
    """Twice, as nothing to clean up is no error."""
    with own_namespace():
        before, table = world(), Table(SETTINGS)
        service_route.put([SETTINGS.service_cidr])
        table.replace(of(a_service(), a_slice("10.244.1.2")).items())
        table.close()
        assert world() != before
        clean_up()
        assert world() == before
        clean_up()
        assert world() == before


def test_time_of_a_sync(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    """A measurement, printed and not judged: all Services from nothing, then one endpoint changed."""
    for count in (100, 1000, 5000):
        claims: Claims[int, Slot, Value] = Claims()
        services = [(_numbered(number), _endpoints(number)) for number in range(count)]
        began = time.perf_counter()
        for number, (service, slice_) in enumerate(services):
            claims.claim(number, of(service, slice_))
        computed = time.perf_counter()
        table.replace(claims.items())
        written = time.perf_counter()
        table.apply(claims.claim(count // 2, of(services[count // 2][0], _endpoints(count + 7))))
        changed = time.perf_counter()
        with capsys.disabled():
            print(
                f"\n{count} Services x 3: rules {1000 * (computed - began):.0f} ms, encoded and in the kernel "
                f"{1000 * (written - computed):.0f} ms, three endpoints changed {1000 * (changed - written):.2f} ms"
            )


def _numbered(number: int) -> Service:
    return a_service(f"s{number}", f"10.96.{number >> 8}.{number & 255}")


def _endpoints(number: int) -> EndpointSlice:
    return a_slice(
        *(f"10.244.{(3 * number + one) >> 8 & 255}.{(3 * number + one) & 255}" for one in range(3)), service=f"s{number}"
    )
