"""RBAC's decisions: what rules allow, whom bindings reach, what covers what, and what the policy has."""

import time

import pytest

from apiserver.auth.rbac.authorizer import RbacAuthorizer
from apiserver.auth.rbac.bootstrap import POLICY, aggregated, mended
from apiserver.auth.rbac.index import RbacIndex
from apiserver.auth.rbac.policy.words import GROUP, account, cluster_binding, cluster_role, group, rule, user
from apiserver.auth.rbac.rules import Rule, Rules, compact, uncovered
from apiserver.context import RequestInfo, User
from kube.api.meta import Key, Tree

JANE = User("jane", ("dev", "system:authenticated"))


def asks(verb: str, what: str, name: str = "", namespace: str = "default", api_group: str = "") -> RequestInfo:
    plural, _, subresource = what.partition("/")
    return RequestInfo(
        verb, "", "", {}, is_resource=True, api_group=api_group, plural=plural, subresource=subresource, name=name,
        namespace=namespace,
    )  # fmt: skip


def a_rule(verbs: str, groups: str, resources: str, names: str = "") -> Rule:
    return Rule.of(rule(verbs, groups, resources, names))


@pytest.mark.parametrize(
    ("one", "info", "answer"),
    [
        (a_rule("get", "core", "pods"), asks("get", "pods", "x"), True),
        (a_rule("get", "core", "pods"), asks("list", "pods"), False),
        (a_rule("get", "core", "pods"), asks("get", "pods", api_group="metrics.k8s.io"), False),
        (a_rule("get", "core", "pods"), asks("get", "pods/log", "x"), False),
        (a_rule("get", "core", "pods/log"), asks("get", "pods/log", "x"), True),
        (a_rule("update", "*", "*/scale"), asks("update", "deployments/scale", "x", api_group="apps"), True),
        (a_rule("update", "*", "*/scale"), asks("update", "deployments", "x", api_group="apps"), False),
        (a_rule("*", "*", "*"), asks("patch", "nodes/status", "n"), True),
        (a_rule("get", "core", "secrets", "mine"), asks("get", "secrets", "mine"), True),
        (a_rule("get", "core", "secrets", "mine"), asks("get", "secrets", "yours"), False),
        (a_rule("create list", "core", "secrets", "mine"), asks("create", "secrets"), False),
    ],
)
def test_rule_allows_what_it_names(one: Rule, info: RequestInfo, answer: bool) -> None:
    """Rule: behaviour E.7.75; https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources"""
    assert Rules([one]).allow(info) is answer


@pytest.mark.parametrize(
    ("url", "path", "answer"),
    [("/healthz", "/healthz", True), ("/healthz", "/healthz/etcd", False), ("/apis/*", "/apis/apps", True), ("*", "/x", True)],
)
def test_paths_may_end_in_a_star(url: str, path: str, answer: bool) -> None:
    assert Rules([Rule(("get",), urls=(url,))]).allow(RequestInfo("get", "GET", path, {})) is answer


def an_index() -> RbacIndex:
    index = RbacIndex()
    index.set_role(Key("", "reader"), cluster_role("reader", rule("get list", "core", "pods")))
    index.set_role(Key("default", "writer"), {"rules": [rule("create", "core", "pods")]})
    return index


def bound(*subjects: Tree, role: str = "reader", kind: str = "ClusterRole") -> Tree:
    return {"roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}, "subjects": list(subjects)}


def test_bindings_reach_users_groups_and_service_accounts() -> None:
    index = an_index()
    authorizer = RbacAuthorizer(index)
    robot = User("system:serviceaccount:ci:robot", ("system:serviceaccounts",))
    assert authorizer.decided(JANE, asks("get", "pods")).allowed is None
    index.set_binding(Key("", "all"), bound(group("dev"), account("robot", "ci")))
    decision = authorizer.decided(JANE, asks("get", "pods", namespace=""))
    assert decision.reason == 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to Group "dev"'
    decision = authorizer.decided(robot, asks("get", "pods"))
    assert decision.reason == 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to ServiceAccount "robot/ci"'
    index.set_binding(Key("", "all"), None)
    assert authorizer.decided(JANE, asks("get", "pods")).allowed is None


def test_role_binding_counts_in_its_namespace_only() -> None:
    index = an_index()
    index.set_binding(Key("default", "here"), bound(user("jane"), role="writer", kind="Role"))
    authorizer = RbacAuthorizer(index)
    decision = authorizer.decided(JANE, asks("create", "pods"))
    assert decision.reason == 'RBAC: allowed by RoleBinding "here/default" of Role "writer" to User "jane"'
    assert authorizer.decided(JANE, asks("create", "pods", namespace="other")).allowed is None
    assert authorizer.decided(JANE, asks("create", "pods", namespace="")).allowed is None


def test_binding_to_a_role_that_is_missing_is_told() -> None:
    index = an_index()
    index.set_binding(Key("default", "b"), bound(user("jane"), role="gone"))
    decision = RbacAuthorizer(index).decided(JANE, asks("get", "pods"))
    assert decision.allowed is None
    assert decision.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'


def test_what_is_not_covered_is_told_in_pieces_and_compact() -> None:
    """Rule: kubernetes pkg/registry/rbac/validation (ConfirmNoEscalation)."""
    owned = [a_rule("get list", "core", "pods"), a_rule("*", "apps", "*/scale")]
    wanted = [a_rule("get list delete create", "core", "pods"), a_rule("update", "apps", "deployments/scale")]
    lacking = compact(uncovered(owned, wanted))
    assert [str(one) for one in lacking] == ['{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}']


def test_names_are_covered_by_names_or_by_all() -> None:
    mine = a_rule("get", "core", "secrets", "mine")
    assert not uncovered([a_rule("get", "core", "secrets")], [mine])
    assert not uncovered([mine], [mine])
    assert uncovered([mine], [a_rule("get", "core", "secrets")])


def test_start_adds_what_is_missing_and_takes_nothing_away() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation"""
    wanted = cluster_role("r", rule("get list", "core", "pods"))
    found = cluster_role("r", rule("get", "core", "pods"), rule("get", "core", "nodes"), labels={"mine": "yes"})
    mine = mended(found, wanted)
    assert mine["rules"] == [*found["rules"], rule("list", "core", "pods")]
    assert mine["metadata"]["labels"]["mine"] == "yes"
    assert mended(mine, wanted) == mine
    found["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] = "false"
    assert mended(found, wanted) is found


def test_start_gives_subjects_back() -> None:
    wanted = cluster_binding("b", group("one"), role="r")
    found = cluster_binding("b", user("other"), role="r")
    assert mended(found, wanted)["subjects"] == [user("other"), group("one")]


def test_admin_may_what_edit_and_view_may() -> None:
    roles = {tree["metadata"]["name"]: tree for kind, trees in POLICY for tree in trees if kind.__name__ == "ClusterRole"}
    rules = {name: [Rule.of(one) for one in aggregated(roles[name])["rules"]] for name in ("admin", "edit", "view")}
    assert not uncovered(rules["admin"], rules["edit"])
    assert not uncovered(rules["edit"], rules["view"])
    assert Rules(rules["view"]).allow(asks("list", "pods"))
    assert not Rules(rules["view"]).allow(asks("get", "secrets", "x"))


def test_every_binding_of_the_policy_leads_to_a_role() -> None:
    trees = {kind.__name__: found for kind, found in POLICY}
    roles = {one["metadata"]["name"] for one in trees["ClusterRole"]}
    assert {one["roleRef"]["name"] for one in trees["ClusterRoleBinding"]} <= roles
    local = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in trees["Role"]}
    assert {(one["metadata"]["namespace"], one["roleRef"]["name"]) for one in trees["RoleBinding"]} <= local


def test_decision_costs_microseconds_however_many_bindings_there_are() -> None:
    """Rule: behaviour E.7.75, at the cost that the plan allows: 20 microseconds, and some for a busy machine."""
    index = an_index()
    for number in range(20_000):
        index.set_binding(Key("", f"b{number}"), bound(user(f"u{number}")))
    index.set_binding(Key("", "jane"), bound(group("dev")))
    authorizer, info, best = RbacAuthorizer(index), asks("list", "pods"), 1.0
    for _ in range(200):
        began = time.perf_counter()
        authorizer.decided(JANE, info)
        best = min(best, time.perf_counter() - began)
    assert best < 20e-6
