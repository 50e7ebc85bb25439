"""Which pod gets which address."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelet.network.addresses import Addresses, hardware_address
from kubelet.pod_network import NetworkFailure

RANGE = IPv4Network("10.244.1.0/29")  # .1 is the gateway, .7 broadcasts: five addresses for pods


def addresses(**held: str) -> Addresses:
    return Addresses(RANGE, {uid: IPv4Address(address) for uid, address in held.items()})


def test_first_address_is_the_gateway_and_pods_follow() -> None:
    pods = addresses()
    assert str(pods.gateway) == "10.244.1.1"
    assert [str(pods.take(uid)) for uid in "abcde"] == [f"10.244.1.{last}" for last in range(2, 7)]


def test_pod_that_asks_again_keeps_its_address() -> None:
    pods = addresses()
    assert pods.take("a") == pods.take("a")


def test_full_range_is_refused_in_the_plugins_words() -> None:
    """Rule: upstream containernetworking/plugins host-local/backend/allocator"""
    pods = addresses()
    for uid in "abcde":
        pods.take(uid)
    with pytest.raises(NetworkFailure, match=r"no IP addresses available in range set: 10\.244\.1\.2-10\.244\.1\.6"):
        pods.take("f")


def test_released_address_is_used_again_as_late_as_possible() -> None:
    """What a client remembers of a pod that is gone leads nowhere, not to a stranger."""
    pods = addresses()
    first, second = pods.take("a"), pods.take("b")
    pods.release("b")
    pods.release("a")
    assert {pods.take(uid) for uid in "cde"} & {first, second} == set()
    assert [pods.take("f"), pods.take("g")] == [second, first]


def test_after_a_restart_the_search_goes_on_behind_the_newest_pod() -> None:
    pods = Addresses(RANGE, {"a": IPv4Address("10.244.1.3")}, after=IPv4Address("10.244.1.3"))
    assert [str(pods.take(uid)) for uid in "bcde"] == ["10.244.1.4", "10.244.1.5", "10.244.1.6", "10.244.1.2"]


def test_ten_thousand_pods_leak_nothing() -> None:
    pods = addresses()
    for number in range(10_000):
        pods.take(f"pod-{number}")
        pods.release(f"pod-{number}")
    assert not pods.held
    assert len({pods.take(uid) for uid in "abcde"}) == 5


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7))))
def test_no_two_pods_ever_hold_one_address(steps: list[tuple[bool, int]]) -> None:
    """Also over restarts, which know nothing but who holds what."""
    pods = addresses()
    for take, number in steps:
        uid = f"pod-{number}"
        if not take:
            pods.release(uid)
        elif uid in pods.held or len(pods.held) < 5:
            assert pods.take(uid) in RANGE
        if number == 7:
            pods = Addresses(RANGE, pods.held, after=[*pods.held.values()][-1] if pods.held else None)
        assert len(set(pods.held.values())) == len(pods.held)
        assert pods.gateway not in pods.held.values()


def test_hardware_address_is_made_of_the_address() -> None:
    assert hardware_address(IPv4Address("10.244.1.2")) == "0a:58:0a:f4:01:02"


def test_ten_thousand_pods_leave_no_address_behind() -> None:
    """A full node of 110 pods whose pods are replaced again and again; a kubelet that is killed in between reads what is held."""
    wide = IPv4Network("10.244.1.0/24")
    pods, held = Addresses(wide, {}), [f"pod-{number}" for number in range(110)]
    for uid in held:
        pods.take(uid)
    for number in range(110, 10_000):
        pods.release(held.pop(0))
        held.append(f"pod-{number}")
        last = pods.take(held[-1])
        assert len(set(pods.held.values())) == len(held) == 110
        if number % 1000 == 0:
            pods = Addresses(wide, pods.held, after=last)
    for uid in held:
        pods.release(uid)
    assert not pods.held
    assert len({pods.take(f"again-{number}") for number in range(253)}) == 253
