"""What a Service is in iptables: upstream's names, comments and order."""

from ipaddress import IPv4Network

import pytest

from kube.api.meta import Key
from kube_proxy.iptables_mode import restore_text, shared_chains
from kube_proxy.iptables_rules import chain_name, lines_of
from kube_proxy.layout import Settings
from kube_proxy.rules import PortRule, Target, rules
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

SETTINGS = Settings(IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))
FAR = an_endpoint("10.244.2.2", node="node-2", ready=True)


@pytest.mark.parametrize(
    ("namespace", "name", "port", "protocol", "chain"),
    [
        ("default", "kubernetes", "https", "TCP", "KUBE-SVC-NPX46M4PTMTKRN6Y"),
        ("kube-system", "kube-dns", "dns", "UDP", "KUBE-SVC-TCOU7JCQXEZGVUNU"),
        ("kube-system", "kube-dns", "dns-tcp", "TCP", "KUBE-SVC-ERIFXISQEP7F7OF4"),
    ],
)
def test_chains_have_the_names_that_everybody_knows(namespace: str, name: str, port: str, protocol: str, chain: str) -> None:
    """As every cluster shows them: a hash of namespace/name:port and protocol."""
    assert chain_name("SVC", PortRule(Key(namespace, name), port, protocol, "10.96.0.1", 443)) == chain


def test_endpoints_are_picked_one_in_n_then_one_in_the_rest() -> None:
    rule = rules(a_service(), [a_slice("10.244.1.2", "10.244.1.3", "10.244.1.4")], HERE)[0]
    chains = lines_of([rule], SETTINGS).chains
    picks = [line.split(" -m ")[-1].split(" -j ")[0] for line in chains[chain_name("SVC", rule)][1:]]
    assert picks[:2] == ["statistic --mode random --probability 0.3333333333", "statistic --mode random --probability 0.5000000000"]
    assert chains[chain_name("SEP", rule, Target("10.244.1.2", 8080))] == (
        '-m comment --comment "default/web" -s 10.244.1.2 -j KUBE-MARK-MASQ',
        '-m comment --comment "default/web" -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080',
    )


def test_change_of_one_endpoint_is_its_chains_alone() -> None:
    """However many Services there are."""
    text = restore_text({}, {"KUBE-SEP-OLD": None, "KUBE-SVC-WEB": ("-j KUBE-SEP-NEW",), "KUBE-SEP-NEW": ("-j DNAT",)})
    assert text.splitlines() == [
        "*nat", ":KUBE-SEP-NEW - [0:0]", ":KUBE-SEP-OLD - [0:0]", ":KUBE-SVC-WEB - [0:0]", "-A KUBE-SEP-NEW -j DNAT",
        "-A KUBE-SVC-WEB -j KUBE-SEP-NEW", "-X KUBE-SEP-OLD", "COMMIT",
    ]  # fmt: skip


def test_node_ports_come_last_among_the_services() -> None:
    lines = {
        Key("default", "web"): lines_of(
            rules(a_service("web", "10.96.0.10", a_port(80, node_port=30080)), [a_slice(FAR)], HERE), SETTINGS
        )
    }
    services = shared_chains(lines, SETTINGS)[("nat", "KUBE-SERVICES")]
    assert [line.split(" -j ")[1][:9] for line in services] == ["KUBE-SVC-", "KUBE-NODE"]
