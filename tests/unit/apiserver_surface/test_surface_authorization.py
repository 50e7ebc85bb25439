"""Who may do what, until RBAC is there; and how a refusal is told."""

import pytest

from apiserver.auth.authorization import allowed, forbidden
from apiserver.context import ANONYMOUS, RequestInfo, User

ADMIN = User("kubernetes-admin", ("system:masters", "system:authenticated"))
SCHEDULER = User("system:kube-scheduler", ("system:authenticated",))
NODE = User("system:node:n", ("system:nodes", "system:authenticated"))
NO_NODE = User("system:node:n", ("system:authenticated",))  # the name alone is not enough
ACCOUNT = User("system:serviceaccount:default:default", ("system:serviceaccounts", "system:authenticated"))
JANE = User("jane", ("system:authenticated",))


def path(text: str) -> RequestInfo:
    return RequestInfo("get", "GET", text, {})


def pods(verb: str = "list", name: str = "", namespace: str = "default", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        verb, "GET", "", {}, is_resource=True, plural="pods", namespace=namespace, name=name, subresource=subresource
    )


@pytest.mark.parametrize("user", [ADMIN, SCHEDULER, NODE])
def test_masters_and_components_may_do_everything(user: User) -> None:
    assert allowed(user, pods("delete"))
    assert allowed(user, path("/metrics"))


@pytest.mark.parametrize("user", [ANONYMOUS, ACCOUNT, JANE, NO_NODE])
def test_nobody_else_may_touch_resources(user: User) -> None:
    assert not allowed(user, pods())


def test_anonymous_sees_health_and_version_only() -> None:
    assert allowed(ANONYMOUS, path("/healthz"))
    assert allowed(ANONYMOUS, path("/readyz/etcd"))
    assert allowed(ANONYMOUS, path("/version"))
    assert not allowed(ANONYMOUS, path("/api"))
    assert not allowed(ANONYMOUS, path("/versions"))


def test_every_user_may_look_around_and_ask_about_himself() -> None:
    assert allowed(JANE, path("/apis"))
    assert allowed(JANE, path("/openapi/v3"))
    review = RequestInfo("create", "POST", "", {}, is_resource=True, plural="selfsubjectaccessreviews")
    assert allowed(JANE, review)


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (pods(), 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'),
        (
            pods("get", "x"),
            'pods "x" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"',
        ),
        (pods(namespace=""), 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope'),
        (path("/metrics"), 'forbidden: User "jane" cannot get path "/metrics"'),
    ],
)
def test_refusals_are_upstreams_words(info: RequestInfo, text: str) -> None:
    """Rule: behaviour D.3, RBAC."""
    assert forbidden(JANE, info).message == text
