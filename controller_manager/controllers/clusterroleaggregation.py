"""ClusterRole aggregation: a role that gathers others has the rules of every ClusterRole that its selectors choose.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
kubernetes pkg/controller/clusterroleaggregation
"""

from collections.abc import Iterable

from controller_manager.controller import Controller, Watch
from kube.api import labels
from kube.api.meta import Key, Tree, key_of
from kube.api.types import ClusterRole
from kube.api.views import tree_of


class ClusterRoleAggregation(Controller[Key]):
    name = "clusterrole-aggregation-controller"
    reconciles = ClusterRole

    def extra(self) -> tuple[Watch, ...]:
        """Any role may be a part of any that gathers."""
        return (Watch(ClusterRole, lambda role: self._gathering()),)

    def _gathering(self) -> list[Key]:
        return [key_of(one) for one in self.cache(ClusterRole) if one.aggregationRule is not None]

    async def reconcile(self, key: Key) -> None:
        role = self.cache(ClusterRole).get(key)
        if role is None or role.aggregationRule is None:
            return
        wanted = gathered(role, self.cache(ClusterRole))
        if wanted != [tree_of(rule) for rule in role.rules or ()]:
            patch = {"metadata": {"resourceVersion": role.metadata.resourceVersion}, "rules": wanted}
            await self.client.patch(ClusterRole, key, patch)


def gathered(role: ClusterRole, every: Iterable[ClusterRole]) -> list[Tree]:
    """The rules of the chosen roles, each once, in the order of their names. Pure."""
    rules: list[Tree] = []
    by_name = sorted(every, key=lambda one: one.metadata.name or "")
    for selector in (role.aggregationRule.clusterRoleSelectors if role.aggregationRule is not None else None) or ():
        chooses = labels.from_label_selector(tree_of(selector))
        for one in by_name:
            if one.metadata.name != role.metadata.name and chooses.matches(one.metadata.labels):
                rules += [rule for rule in map(tree_of, one.rules or ()) if rule not in rules]
    return rules
