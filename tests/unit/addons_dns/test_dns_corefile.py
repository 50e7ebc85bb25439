"""The Corefile: the one that kubeadm writes, stub domains, and what is refused."""

from pathlib import Path

import pytest

from addons.dns import wire
from addons.dns.corefile import CorefileError
from addons.dns.forward import nameservers, servers
from addons.dns.settings import Caching, Forward, read, server_address

KUBEADM = """
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""


def test_kubeadms_corefile_is_understood() -> None:
    """Rule: https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/"""
    settings = read(KUBEADM, {})
    (block,) = settings.blocks
    assert (settings.health, settings.lameduck, settings.ready, settings.prometheus) == (":8080", 5.0, ":8181", ":9153")
    assert (settings.reload, settings.port) == (30.0, 53)
    assert block.kubernetes is not None
    assert (block.kubernetes.ttl, block.kubernetes.pods) == (30, "insecure")
    assert block.kubernetes.fallthrough == (wire.name_of("in-addr.arpa"), wire.name_of("ip6.arpa"))
    assert block.forward == Forward(b"\0", ("/etc/resolv.conf",), max_concurrent=1000)
    assert block.cache == Caching(30, 30)
    assert (block.loop, block.rotate, block.log) == (True, True, False)


def test_a_stub_domain_is_a_block_of_its_own() -> None:
    settings = read(KUBEADM + "consul.local:53 {\n  errors\n  cache 30\n  forward . 10.150.0.1\n}\n", {})
    assert settings.blocks[1].zones == (wire.name_of("consul.local"),)
    assert settings.blocks[1].forward == Forward(b"\0", ("10.150.0.1",))


def test_hosts_stand_in_the_corefile() -> None:
    block = read(". {\n hosts {\n 192.0.2.1 one.example two.example # both\n fallthrough\n }\n}", {}).blocks[0]
    assert block.hosts is not None
    assert block.hosts.addresses[wire.name_of("two.example")] == ("192.0.2.1",)


def test_a_variable_stands_for_the_environments() -> None:
    assert read(".:{$PORT} {\n}", {"PORT": "1053"}).port == 1053


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no server block"),
        (".:53 {\n errors\n", "line 1: '{' is never closed"),
        (". {\n frobnicate\n}", "line 2: unknown plugin 'frobnicate'"),
        (". {\n kubernetes {\n  pods verified\n }\n}", "line 3: kubernetes: cannot use 'pods verified'"),
        (". {\n forward .\n}", "line 2: forward needs a zone"),
        (". {\n forward . tls://192.0.2.1\n}", "is not an address of a name server"),
        (". {\n forward . 192.0.2.1:65536\n}", "is not an address of a name server"),
        (".:65536 {\n}", "is not a zone with a port"),
        (". {\n cache 30 {\n  success 1000 1m\n }\n}", "line 3: cache: cannot use 'success 1000 1m'"),
        (". {\n cache 30 {\n  denial 1000 \u00b2\n }\n}", "line 3: cache: cannot use"),  # a digit, but no number
        (". {\n hosts {\n  ttl 65536\n }\n}", "line 3: hosts: cannot use 'ttl 65536'"),
        (". {\n}\n.:53 {\n}", "zone . is in two server blocks"),
        (".:53 {\n}\na:54 {\n}", "all zones are served on one port"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(CorefileError, match=why.replace("(", r"\(").replace("{", r"\{").replace(".", r"\.")):
        read(text, {})


def test_a_cache_has_room_for_one_answer_at_least() -> None:
    cache = read(". {\n cache {\n  success 0\n }\n}", {}).blocks[0].cache
    assert cache is not None
    assert cache.capacity == 1


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("dns://192.0.2.1", ("192.0.2.1", 53)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_an_upstream_may_have_a_port(text: str, address: tuple[str, int]) -> None:
    assert server_address(text) == address


def test_the_hosts_stub_resolver_is_left_out(tmp_path: Path) -> None:
    """It listens on the host's loopback, which in a pod is the pod itself: a loop.
    Rule: https://github.com/kubernetes/minikube/issues/3511 (field lesson: loops)"""
    file = tmp_path / "resolv.conf"
    file.write_text("# stub\nnameserver 127.0.0.53\nnameserver ::1\nsearch example\nnameserver 192.0.2.53\nnameserver nonsense\n")
    assert nameservers(file.read_text()) == ["127.0.0.53", "::1", "192.0.2.53"]
    assert [str(one) for one in servers(Forward(b"\0", (str(file),)))] == ["192.0.2.53:53"]
