"""The names of a cluster. Rule for all: https://github.com/kubernetes/dns/blob/master/docs/specification.md (behaviour E.4.48)"""

import dns.rcode
import pytest

from addons.dns.resolver import Resolver
from tests.unit.addons_dns.objects import a_resolver, a_service, a_slice, an_endpoint, ask, data, records

WEB = a_service("web", "10.96.0.7", ports=(("http", "TCP", 80), ("https", "TCP", 443)))
WEB_SLICE = a_slice("web", an_endpoint("10.244.1.2"), ports=(("http", "TCP", 8080),))
DUAL = a_service("dual", "10.96.0.8", "fd00::8", ports=(("", "TCP", 80),))
HEADLESS = a_service("db", ports=(("sql", "TCP", 5432),))
DB_SLICE = a_slice(
    "db",
    an_endpoint("10.244.1.3", "db-0"),
    an_endpoint("10.244.1.4"),
    an_endpoint("10.244.1.5", "db-2", ready=False),
    an_endpoint("10.244.1.6", "db-3", ready=None),
    ports=(("sql", "TCP", 5432),),
)
WAITING = a_service("waiting")
WAITING_SLICE = a_slice("waiting", an_endpoint("10.244.1.9", ready=False))
OUTSIDE = a_service("outside", "", type="ExternalName", externalName="www.example.com")
NUMBER = a_service("number", "", type="ExternalName", externalName="192.0.2.1")
SOA = "cluster.local. 30 SOA ns.dns.cluster.local. hostmaster.cluster.local."


@pytest.fixture
def resolver() -> Resolver:
    return a_resolver(WEB, WEB_SLICE, DUAL, HEADLESS, DB_SLICE, WAITING, WAITING_SLICE, OUTSIDE, NUMBER)


def test_a_service_has_its_cluster_ips(resolver: Resolver) -> None:
    answer = ask(resolver, "web.default.svc.cluster.local")
    assert records(answer) == ["web.default.svc.cluster.local. 30 A 10.96.0.7"]
    assert data(ask(resolver, "dual.default.svc.cluster.local", "AAAA")) == ["fd00::8"]
    assert data(ask(resolver, "dual.default.svc.cluster.local", "A")) == ["10.96.0.8"]


def test_a_headless_service_has_its_ready_endpoints(resolver: Resolver) -> None:
    """An endpoint whose readiness is unknown counts as ready; publishNotReadyAddresses makes all ready in the slice."""
    assert sorted(data(ask(resolver, "db.default.svc.cluster.local"))) == ["10.244.1.3", "10.244.1.4", "10.244.1.6"]
    assert ask(resolver, "waiting.default.svc.cluster.local").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("db-0.db", "10.244.1.3"),
        ("10-244-1-4.db", "10.244.1.4"),
        ("10-244-1-2.web", "10.244.1.2"),
        ("10-244-1-3.db", None),  # it has a hostname
        ("db-2.db", None),  # not ready
    ],
)
def test_an_endpoint_has_its_hostname_or_its_dashed_address(resolver: Resolver, name: str, address: str | None) -> None:
    answer = ask(resolver, f"{name}.default.svc.cluster.local")
    assert data(answer) == ([address] if address else [])
    assert answer.rcode() == (dns.rcode.NOERROR if address else dns.rcode.NXDOMAIN)


def test_a_named_port_has_srv_records_with_the_addresses_beside_them(resolver: Resolver) -> None:
    answer = ask(resolver, "_http._tcp.web.default.svc.cluster.local", "SRV")
    assert data(answer) == ["0 100 80 web.default.svc.cluster.local."]
    assert records(answer, "additional") == ["web.default.svc.cluster.local. 30 A 10.96.0.7"]
    answer = ask(resolver, "_sql._tcp.db.default.svc.cluster.local", "SRV", use_edns=True)
    assert sorted(data(answer)) == [
        "0 33 5432 10-244-1-4.db.default.svc.cluster.local.",
        "0 33 5432 db-0.db.default.svc.cluster.local.",
        "0 33 5432 db-3.db.default.svc.cluster.local.",
    ]
    assert len(answer.additional) == 3
    assert ask(resolver, "_sql._udp.db.default.svc.cluster.local", "SRV").rcode() == dns.rcode.NXDOMAIN
    assert sorted(data(ask(resolver, "web.default.svc.cluster.local", "SRV"))) == [
        "0 50 443 web.default.svc.cluster.local.",
        "0 50 80 web.default.svc.cluster.local.",
    ]


def test_an_address_leads_back_to_its_service_or_its_endpoints(resolver: Resolver) -> None:
    assert data(ask(resolver, "7.0.96.10.in-addr.arpa", "PTR")) == ["web.default.svc.cluster.local."]
    assert data(ask(resolver, "3.1.244.10.in-addr.arpa", "PTR")) == ["db-0.db.default.svc.cluster.local."]
    assert data(ask(resolver, "2.1.244.10.in-addr.arpa", "PTR")) == ["10-244-1-2.web.default.svc.cluster.local."]
    six = "8" + ".0" * 27 + ".0.0.d.f.ip6.arpa"
    assert data(ask(resolver, six, "PTR")) == ["dual.default.svc.cluster.local."]


def test_a_pods_dashed_address_is_itself_in_a_namespace_that_exists(resolver: Resolver) -> None:
    """Rule: https://coredns.io/plugins/kubernetes/ pods insecure"""
    assert data(ask(resolver, "10-244-1-2.default.pod.cluster.local")) == ["10.244.1.2"]
    assert data(ask(resolver, "fd00--1.empty.pod.cluster.local", "AAAA")) == ["fd00::1"]
    assert ask(resolver, "10-244-1-2.nowhere.pod.cluster.local").rcode() == dns.rcode.NXDOMAIN
    assert ask(resolver, "ten-1.default.pod.cluster.local").rcode() == dns.rcode.NXDOMAIN


def test_an_external_name_is_an_alias(resolver: Resolver) -> None:
    assert data(ask(resolver, "outside.default.svc.cluster.local", "CNAME")) == ["www.example.com."]
    assert ask(resolver, "number.default.svc.cluster.local").rcode() == dns.rcode.NXDOMAIN


def test_the_version_of_the_schema_is_told(resolver: Resolver) -> None:
    assert data(ask(resolver, "dns-version.cluster.local", "TXT")) == ['"1.1.0"']


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("cluster.local", "A", dns.rcode.NOERROR),
        ("svc.cluster.local", "A", dns.rcode.NOERROR),
        ("default.svc.cluster.local", "A", dns.rcode.NOERROR),
        ("empty.pod.cluster.local", "A", dns.rcode.NOERROR),
        ("_tcp.web.default.svc.cluster.local", "A", dns.rcode.NOERROR),
        ("web.default.svc.cluster.local", "AAAA", dns.rcode.NOERROR),
        ("web.default.svc.cluster.local", "MX", dns.rcode.NOERROR),
        ("nowhere.svc.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("none.default.svc.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("a.b.c.default.svc.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("other.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("_nosuch._tcp.web.default.svc.cluster.local", "SRV", dns.rcode.NXDOMAIN),
    ],
)
def test_no_data_and_no_name_are_told_apart_with_the_zones_soa(resolver: Resolver, name: str, kind: str, rcode: int) -> None:
    """Rule: RFC 2308; an IPv4 Service has no AAAA but it is there, or resolvers would give up on its A."""
    answer = ask(resolver, name, kind)
    assert answer.rcode() == rcode
    assert data(answer) == []
    assert [one.startswith(SOA) for one in records(answer, "authority")] == [True]


def test_letter_case_is_nothing_and_is_kept(resolver: Resolver) -> None:
    """Rule: RFC 4343; resolvers that vary it on purpose check that the question comes back as they spelt it."""
    answer = ask(resolver, "WEB.Default.svc.cluster.LOCAL")
    assert data(answer) == ["10.96.0.7"]
    assert str(answer.question[0].name) == "WEB.Default.svc.cluster.LOCAL."
