"""The RBAC authorizer: whether a binding of the user's leads to a role that allows the request.

system:masters never comes here. There is no way to forbid: what no rule allows is left to the next authorizer.
kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go
"""

from collections.abc import Iterator

from apiserver.auth.decision import NO_OPINION, Decision, Prompt
from apiserver.auth.rbac.index import GROUP, Grant, RbacIndex
from apiserver.auth.rbac.rules import Rule, Rules
from apiserver.context import RequestInfo, User


class RbacAuthorizer(Prompt):
    def __init__(self, index: RbacIndex) -> None:
        self._index = index

    def decided(self, user: User, info: RequestInfo) -> Decision:
        missing: list[str] = []
        namespace = info.namespace if info.is_resource else ""
        for grant in self._index.grants(user, namespace):
            rules = self._rules(grant, missing)
            if rules is not None and rules.allow(info):
                return Decision(True, f"RBAC: allowed by {grant}")
        return Decision(None, f"RBAC: {aggregate(missing)}") if missing else NO_OPINION

    def rules(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """Every rule of the user's, here and everywhere; and what could not be found out."""
        missing: list[str] = []
        return list(self._each(user, namespace, missing)), missing

    def _each(self, user: User, namespace: str, missing: list[str]) -> Iterator[Rule]:
        for grant in self._index.grants(user, namespace):
            rules = self._rules(grant, missing)
            if rules is not None:
                yield from rules.rules

    def _rules(self, grant: Grant, missing: list[str]) -> Rules | None:
        rules = self._index.rules_of(grant.role_key)
        if rules is None:
            missing.append(f'{grant.role_kind.lower()}.{GROUP} "{grant.role}" not found')
        return rules


def aggregate(texts: list[str]) -> str:
    """Several errors as upstream's aggregate tells them: each once, in brackets where they are many."""
    each = list(dict.fromkeys(texts))
    return each[0] if len(each) == 1 else f"[{', '.join(each)}]"
