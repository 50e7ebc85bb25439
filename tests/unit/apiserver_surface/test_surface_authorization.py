"""How authorizers are asked in order, and how a refusal is told."""

import asyncio

import pytest

from apiserver.auth.authorization import AlwaysAllow, AlwaysDeny, Authorization, forbidden
from apiserver.auth.decision import Decision
from apiserver.context import RequestInfo, User
from kube.api.status import Forbidden

ADMIN = User("kubernetes-admin", ("system:masters", "system:authenticated"))
JANE = User("jane", ("system:authenticated",))


def path(text: str) -> RequestInfo:
    return RequestInfo("get", "GET", text, {})


def pods(verb: str = "list", name: str = "", namespace: str = "default", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        verb, "GET", "", {}, is_resource=True, plural="pods", namespace=namespace, name=name, subresource=subresource
    )


class Says:
    def __init__(self, allowed: bool | None, reason: str = "") -> None:
        self.decision = Decision(allowed, reason)

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        return self.decision


def test_masters_may_do_everything() -> None:
    asyncio.run(Authorization({"AlwaysDeny": AlwaysDeny()}).authorize(ADMIN, pods("delete")))


def test_first_opinion_counts_and_a_denial_is_one() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/authorization/ (union)"""
    silent, denies = Says(None, "do not know"), Says(False, "no way")
    assert asyncio.run(Authorization({"a": silent, "b": AlwaysAllow()}).decide(JANE, pods())).allowed
    assert asyncio.run(Authorization({"a": denies, "b": AlwaysAllow()}).decide(JANE, pods())).allowed is False


def test_reasons_of_all_are_told_where_none_has_an_opinion() -> None:
    authorization = Authorization({"a": Says(None, "one"), "b": Says(None), "c": Says(None, "two")})
    with pytest.raises(Forbidden, match=r'in the namespace "default": one\ntwo$'):
        asyncio.run(authorization.authorize(JANE, pods()))


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (pods(), 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'),
        (
            pods("get", "x"),
            'pods "x" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"',
        ),
        (
            pods("get", "x", subresource="log"),
            'pods "x" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
        ),
        (pods(namespace=""), 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope'),
        (path("/metrics"), 'forbidden: User "jane" cannot get path "/metrics"'),
        (path("/<b>"), 'forbidden: User "jane" cannot get path "/&lt;b&gt;"'),
    ],
)
def test_refusals_are_upstreams_words(info: RequestInfo, text: str) -> None:
    """Rule: behaviour D.3, RBAC."""
    assert forbidden(JANE, info).message == text
