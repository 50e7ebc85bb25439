"""Subresources' decisions: binding, eviction, containers, addresses of nodes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.kubelet import node_host
from apiserver.subresources.binding import assigned
from apiserver.subresources.eviction import disrupts_nothing, spent
from apiserver.subresources.node_api import chosen_container, stream_query
from kube.api.status import BadRequest, Conflict, TooManyRequests

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_pod(*containers: str, **spec: Any) -> dict[str, Any]:
    listed = [{"name": name} for name in containers or ("c",)]
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {"containers": listed, **spec}}


def to(node: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "target": {"name": node}}


def test_binding_sets_node_and_condition() -> None:
    pod = assigned(a_pod(), to("n"), "now")
    assert pod["spec"]["nodeName"] == "n"
    assert [(one["type"], one["status"]) for one in pod["status"]["conditions"]] == [("PodScheduled", "True")]


def test_bound_pod_is_not_bound_again() -> None:
    """Rule: behaviour E.6.65: 409 if already bound."""
    with pytest.raises(Conflict, match='pod p is already assigned to node "n"'):
        assigned(a_pod(nodeName="n"), to("m"), "now")


def test_binding_for_another_pod_of_the_name_is_refused() -> None:
    with pytest.raises(Conflict, match="UID in precondition"):
        assigned(a_pod(), to("n", uid="other"), "now")


def test_gated_pod_is_not_bound() -> None:
    with pytest.raises(Conflict, match="schedulingGates"):
        assigned(a_pod(schedulingGates=[{"name": "g"}]), to("n"), "now")


def a_budget(allowed: int, observed: int = 1) -> dict[str, Any]:
    status = {"disruptionsAllowed": allowed, "observedGeneration": observed, "desiredHealthy": 2, "currentHealthy": 2}
    return {"metadata": {"name": "b", "generation": 1}, "spec": {}, "status": status}


def test_eviction_takes_one_disruption() -> None:
    status = spent(a_budget(1), "p", NOW)["status"]
    assert status["disruptionsAllowed"] == 0
    assert status["disruptedPods"] == {"p": "2026-01-01T00:00:00Z"}


def test_blocked_eviction_names_the_budget() -> None:
    """And clients are not told to come again by themselves: who evicts must hear at once that he may not.

    Rule: behaviour D.3, eviction blocked; kubernetes pkg/registry/core/pod/storage/eviction.go
    """
    with pytest.raises(TooManyRequests) as refused:
        spent(a_budget(0), "p", NOW)
    assert refused.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    cause = refused.value.details["causes"][0]
    assert cause == {"reason": "DisruptionBudget", "message": "The disruption budget b needs 2 healthy pods and has 2 currently"}
    assert "retryAfterSeconds" not in refused.value.details


def test_budget_that_is_behind_blocks_for_a_while() -> None:
    with pytest.raises(TooManyRequests) as refused:
        spent(a_budget(5, observed=0), "p", NOW)
    assert refused.value.details["retryAfterSeconds"] == 10


def test_budget_that_could_not_be_counted_says_why() -> None:
    budget = a_budget(0)
    failed = {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": "no controller"}
    budget["status"]["conditions"] = [failed]
    with pytest.raises(TooManyRequests) as refused:
        spent(budget, "p", NOW)
    assert refused.value.details["causes"][0]["message"].endswith("because it failed sync: no controller")


def test_only_container_needs_no_name() -> None:
    assert chosen_container(a_pod("c"), "") == "c"


def test_several_containers_need_one() -> None:
    with pytest.raises(BadRequest) as refused:
        chosen_container(a_pod("a", "b"), "")
    assert refused.value.message == "a container name must be specified for pod p, choose one of: [a b]"
    with pytest.raises(BadRequest, match="container x is not valid for pod p"):
        chosen_container(a_pod("a", "b"), "x")


def test_nodes_are_called_by_the_preferred_address() -> None:
    addresses = [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "198.18.0.1"}]
    node = {"status": {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}}
    assert node_host(node, ("InternalIP", "Hostname")) == ("198.18.0.1", 1)
    assert node_host(node, ("Hostname",)) == ("h", 1)


def test_the_kubelet_is_asked_in_its_own_words() -> None:
    """Rule: upstream pkg/registry/core/pod/strategy.go, streamParams."""
    query = {"stdin": ["true"], "stdout": ["true"], "tty": ["false"], "command": ["sh", "-c", "a b"], "container": ["c"]}
    assert stream_query(query) == "input=1&output=1&command=sh&command=-c&command=a+b"


@pytest.mark.parametrize(
    ("ready", "policy", "healthy", "free"),
    [
        ("True", None, 3, False),
        ("False", None, 3, True),
        ("False", "IfHealthyBudget", 1, False),
        ("False", "AlwaysAllow", 1, True),
    ],
)
def test_unhealthy_pods_may_go_where_the_budget_says_so(ready: str, policy: str | None, healthy: int, free: bool) -> None:
    """Rule: KEP-3017."""
    budget = {"spec": {"unhealthyPodEvictionPolicy": policy}, "status": {"desiredHealthy": 2, "currentHealthy": healthy}}
    pod = {**a_pod(), "status": {"conditions": [{"type": "Ready", "status": ready}]}}
    assert disrupts_nothing(budget, pod) is free
