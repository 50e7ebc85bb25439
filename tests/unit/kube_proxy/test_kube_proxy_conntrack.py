"""Which UDP flows are stale."""

from kube_proxy.conntrack import Flow, Fronts, fronts, stale
from kube_proxy.rules import PortRule, Target, rules
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice

VIP, OLD, NEW = Target("10.96.0.10", 53), Target("10.244.1.2", 8080), Target("10.244.1.3", 8080)
CLIENT = Target("10.244.1.9", 40000)


def of(*addresses: str, protocol: str = "UDP", node_port: int = 30053) -> list[PortRule]:
    service = a_service("dns", VIP.address, a_port(53, protocol=protocol, node_port=node_port))
    return rules(service, [a_slice(*addresses, protocol=protocol)], HERE)


def flow(front: Target, back: Target, *, led: bool = True) -> Flow:
    return Flow(front, back, led, CLIENT)


def test_flow_to_an_endpoint_that_is_no_more_is_stale() -> None:
    changed = fronts([(of(OLD.address), of(NEW.address))])
    assert stale(flow(VIP, OLD), changed)
    assert not stale(flow(VIP, NEW), changed)


def test_flow_that_began_before_there_were_rules_is_stale() -> None:
    """It is answered by nobody, under the cluster IP itself; the next packet must be led."""
    assert stale(flow(VIP, VIP, led=False), fronts([([], of(NEW.address))]))


def test_flow_to_a_deleted_service_is_stale() -> None:
    assert stale(flow(VIP, OLD), fronts([(of(OLD.address), [])]))


def test_flow_to_a_node_port_counts_only_where_a_rule_led_it() -> None:
    """Somebody else's flow to the same number at another address is not ours."""
    changed = fronts([(of(OLD.address), of(NEW.address))])
    assert stale(flow(Target("192.0.2.10", 30053), OLD), changed)
    assert not stale(flow(Target("203.0.113.9", 30053), Target("203.0.113.9", 30053), led=False), changed)
    assert not stale(flow(Target("192.0.2.10", 30053), NEW), changed)


def test_tcp_and_unchanged_services_have_no_stale_flows() -> None:
    assert fronts([(of(OLD.address, protocol="TCP"), of(NEW.address, protocol="TCP"))]) == Fronts({}, {})
    assert not stale(flow(Target("10.96.0.99", 53), OLD), fronts([(of(OLD.address), of(NEW.address))]))
