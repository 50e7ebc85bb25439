"""What kubectl auth reconcile changes, and how it tells."""

import pytest

from kube.api.meta import Tree
from kubectl.reconciling import difference, shown

GROUP = "rbac.authorization.k8s.io"


def rule(verbs: str, resources: str = "pods", groups: tuple[str, ...] = ("",), **more: object) -> Tree:
    return {"verbs": verbs.split(), "apiGroups": list(groups), "resources": resources.split(), **more}


def role(*rules: Tree, **metadata: object) -> Tree:
    return {"kind": "Role", "metadata": {"name": "r", **metadata}, "rules": list(rules)}


def binding(*names: str, to: str = "r") -> Tree:
    subjects = [{"kind": "User", "apiGroup": GROUP, "name": name} for name in names]
    return {"kind": "RoleBinding", "metadata": {"name": "b"}, "subjects": subjects, "roleRef": {"kind": "Role", "name": to}}


def test_what_is_not_there_is_created() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#kubectl-auth-reconcile"""
    made = difference(role(rule("get")), None, remove_extra=False)
    assert (made.operation, made.added) == ("create", [rule("get")])


@pytest.mark.parametrize(
    ("wanted", "live", "added"),
    [
        (rule("get"), rule("get list"), 0),
        (rule("get"), rule("*", "*", ("*",)), 0),
        (rule("get", "pods/log"), rule("get", "*/log"), 0),
        (rule("get", "pods", resourceNames=["a"]), rule("get"), 0),
        (rule("get"), rule("get", "pods", resourceNames=["a"]), 1),
        (rule("get list"), rule("get"), 1),
        (rule("get", "pods", ("apps",)), rule("get"), 1),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz/x"]}, {"verbs": ["get"], "nonResourceURLs": ["/healthz*"]}, 0),
        ({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, rule("*", "*", ("*",)), 1),
    ],
)
def test_a_rule_is_there_when_all_that_it_permits_is(wanted: Tree, live: Tree, added: int) -> None:
    made = difference(role(wanted), role(live), remove_extra=False)
    assert len(made.added) == added
    assert made.operation == ("update" if added else "")
    assert made.tree["rules"] == [live, wanted][: 1 + added]


def test_what_is_too_much_goes_only_when_asked() -> None:
    wanted, live = role(rule("list")), role(rule("get"), rule("list"))
    assert difference(wanted, live, remove_extra=False).operation == ""
    made = difference(wanted, live, remove_extra=True)
    assert (made.operation, made.removed, made.tree["rules"]) == ("update", [rule("get")], [rule("list")])


def test_labels_are_added_to_those_that_are_there() -> None:
    made = difference(role(labels={"a": "1"}), role(labels={"b": "2"}), remove_extra=True)
    assert (made.operation, made.tree["metadata"]["labels"]) == ("update", {"a": "1", "b": "2"})


def test_subjects_are_joined_and_another_role_needs_another_binding() -> None:
    made = difference(binding("a"), binding("b"), remove_extra=False)
    assert [one["name"] for one in made.tree["subjects"]] == ["b", "a"]
    assert difference(binding("a", to="x"), binding("a"), remove_extra=False).operation == "recreate"


def test_rules_and_subjects_are_shown_as_upstream_shows_them() -> None:
    assert shown(rule("get")) == "{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}"
    assert shown(binding("a")["subjects"][0]) == f"{{Kind:User APIGroup:{GROUP} Name:a Namespace:}}"
