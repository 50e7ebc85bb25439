"""Seats, queues and turns of priority levels."""

import asyncio
from dataclasses import replace

import pytest

from apiserver.config import Config
from apiserver.context import RequestInfo, User
from apiserver.flowcontrol import defaults
from apiserver.flowcontrol.classify import matches
from apiserver.flowcontrol.control import Control, limits_of
from apiserver.flowcontrol.level import Level, Limits, Refused, Seats
from apiserver.flowcontrol.sharding import hand
from kube.api.meta import Key, Tree

WAIT_SECONDS = 5.0


def user(name: str, *groups: str) -> User:
    return User(name, (*groups, "system:authenticated"))


def listing(plural: str, namespace: str = "", group: str = "", verb: str = "list", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        verb, "GET", "", {}, is_resource=True, api_group=group, plural=plural, namespace=namespace, subresource=subresource
    )


def schema_of(who: User, info: RequestInfo) -> tuple[str, str]:
    flow = Control(Config())
    for tree in defaults.levels():
        flow.put_level(Key("", tree["metadata"]["name"]), tree)
    for tree in defaults.schemas():
        flow.put_schema(Key("", tree["metadata"]["name"]), tree)
    counts = flow.flow_of(who, info).counts
    return counts.schema, counts.level


@pytest.mark.parametrize(
    ("who", "info", "expected"),
    [
        (user("admin", "system:masters"), listing("pods"), ("exempt", "exempt")),
        (user("jane"), RequestInfo("get", "GET", "/readyz", {}), ("probes", "exempt")),
        (user("jane"), RequestInfo("get", "GET", "/version", {}), ("global-default", "global-default")),
        (user("jane"), listing("pods", "x"), ("global-default", "global-default")),
        (user("system:node:a", "system:nodes"), listing("nodes", subresource="status"), ("system-node-high", "node-high")),
        (
            user("system:node:a", "system:nodes"),
            listing("leases", "kube-node-lease", "coordination.k8s.io", "update"),
            ("system-node-high", "node-high"),
        ),
        (user("system:node:a", "system:nodes"), listing("pods"), ("system-nodes", "system")),
        (
            user("system:kube-scheduler"),
            listing("leases", "kube-system", "coordination.k8s.io", "update"),
            ("system-leader-election", "leader-election"),
        ),
        (user("system:kube-scheduler"), listing("pods"), ("kube-scheduler", "workload-high")),
        (
            user("system:serviceaccount:kube-system:job-controller", "system:serviceaccounts"),
            listing("jobs", "", "batch"),
            ("kube-system-service-accounts", "workload-high"),
        ),
        (
            user("system:serviceaccount:default:default", "system:serviceaccounts"),
            listing("pods", "default"),
            ("service-accounts", "workload-low"),
        ),
    ],
)
def test_requests_are_sorted_as_upstreams_defaults_say(who: User, info: RequestInfo, expected: tuple[str, str]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults"""
    assert schema_of(who, info) == expected


def test_a_rule_wants_the_namespace_or_the_scope() -> None:
    """Rule: ResourcePolicyRule.clusterScope, .namespaces"""
    subject = [{"kind": "User", "user": {"name": "*"}}]

    def matched(rule: Tree, info: RequestInfo) -> bool:
        base = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return matches({"spec": {"rules": [{"subjects": subject, "resourceRules": [base | rule]}]}}, user("u"), info)

    assert matched({"clusterScope": True}, listing("nodes"))
    assert not matched({"namespaces": ["*"]}, listing("nodes"))
    assert matched({"namespaces": ["a"]}, listing("pods", "a"))
    assert not matched({"namespaces": ["a"]}, listing("pods", "b"))


def test_seats_follow_the_shares() -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#prioritylevelconfiguration"""
    limits = limits_of(defaults.levels(), 600)
    assert "exempt" not in limits
    assert limits["workload-low"] == Limits(nominal=245, lendable=220, most=600, queues=128, queue_length=50)
    assert limits["catch-all"].nominal == 13
    assert limits["catch-all"].queues == 0


def test_a_hand_is_of_different_queues_and_always_the_same() -> None:
    """Rule: KEP-1040 (shuffle sharding)"""
    hands = {name: hand(name, 64, 6) for name in map(str, range(200))}
    assert all(len(set(one)) == 6 and max(one) < 64 for one in hands.values())
    assert hand("7", 64, 6) == hands["7"]
    assert len(set(hands.values())) == 200
    assert {card for one in hands.values() for card in one} == set(range(64))


def level(seats: Seats, **limits: int) -> Level:
    one = Level("l", seats, Limits(**limits))
    seats.levels.append(one)
    return one


def test_borrowing_leaves_others_what_they_are_guaranteed() -> None:
    """Rule: lendablePercent, borrowingLimitPercent"""
    seats = Seats(10)
    lender, borrower = level(seats, nominal=6, lendable=4), level(seats, nominal=4)
    assert sum(borrower.take() for _ in range(20)) == 8
    assert sum(lender.take() for _ in range(20)) == 2
    borrower.give()
    assert lender.take()
    assert not borrower.take()


def test_a_level_that_may_not_borrow_stays_at_its_seats() -> None:
    """Rule: borrowingLimitPercent"""
    seats = Seats(10)
    level(seats, nominal=6, lendable=6)
    one = level(seats, nominal=4, most=5)
    assert sum(one.take() for _ in range(20)) == 5


def test_without_queues_there_is_a_refusal() -> None:
    """Rule: limitResponse Reject"""
    seats = Seats(1)
    one = level(seats, nominal=1)
    assert one.take()
    with pytest.raises(Refused, match="concurrency-limit"):
        asyncio.run(one.wait((), WAIT_SECONDS))


def test_queues_have_a_length_and_waiting_has_an_end() -> None:
    """Rule: queueLengthLimit; the wait limit of a request"""

    async def scenario() -> None:
        seats = Seats(1)
        one = level(seats, nominal=1, queues=1, queue_length=1)
        assert one.take()
        first = asyncio.ensure_future(one.wait((0,), 0.05))
        await asyncio.wait({first}, timeout=0.001)
        with pytest.raises(Refused, match="queue-full"):
            await one.wait((0,), WAIT_SECONDS)
        with pytest.raises(Refused, match="time-out"):
            await first
        assert (one.queued, seats.waiting) == (0, {})
        one.give()
        assert one.take()

    asyncio.run(scenario())


def test_a_flow_that_floods_does_not_keep_others_waiting() -> None:
    """Rule: KEP-1040 (fair queuing)"""

    async def scenario() -> list[str]:
        seats = Seats(1)
        one = level(seats, nominal=1, queues=8, queue_length=50)
        assert one.take()
        order: list[str] = []

        async def served(name: str, queue: int) -> None:
            number = await one.wait((queue,), WAIT_SECONDS)
            order.append(name)
            one.served(number, 0.01)
            one.give()

        flood = [asyncio.ensure_future(served("flood", 0)) for _ in range(20)]
        await asyncio.wait(flood, timeout=0.001)
        others = [asyncio.ensure_future(served("quiet", 1)) for _ in range(2)]
        await asyncio.wait(others, timeout=0.001)
        one.give()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*flood, *others)
        assert (one.used, one.queued, seats.used) == (0, 0, 0)
        return order

    order = asyncio.run(scenario())
    assert order.index("quiet") <= 1
    assert order[:5].count("quiet") == 2


def test_one_that_leaves_the_queue_takes_no_seat() -> None:
    """Rule: a request whose client is gone is forgotten"""

    async def scenario() -> None:
        seats = Seats(1)
        one = level(seats, nominal=1, queues=1, queue_length=5)
        assert one.take()
        waiting = asyncio.ensure_future(one.wait((0,), WAIT_SECONDS))
        await asyncio.wait({waiting}, timeout=0.001)
        waiting.cancel()
        await asyncio.wait({waiting})
        one.give()
        assert (one.used, one.queued, seats.used) == (0, 0, 0)

    asyncio.run(scenario())


def test_a_flow_schema_without_its_level_is_passed_over() -> None:
    """Rule: condition Dangling"""
    control = Control(replace(Config(), max_requests_inflight=8, max_mutating_requests_inflight=2))
    spec = {
        "matchingPrecedence": 5,
        "priorityLevelConfiguration": {"name": "nowhere"},
        "rules": [
            {
                "subjects": [{"kind": "User", "user": {"name": "*"}}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            }
        ],
    }
    control.put_schema(Key("", "dangling"), {"metadata": {"name": "dangling"}, "spec": spec})
    info = RequestInfo("get", "GET", "/version", {})
    assert control.flow_of(user("jane"), info).counts.schema == "catch-all"
    control.put_level(Key("", "nowhere"), {"metadata": {"name": "nowhere", "uid": "u"}, "spec": {"type": "Exempt"}})
    assert control.flow_of(user("jane"), info).counts.schema == "dangling"
