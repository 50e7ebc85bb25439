"""ClusterRole: what may be done, in any namespace or outside of them (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.rbac.rules import GROUP, rule_errors
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import ClusterRole


def validate(new: ClusterRole, old: ClusterRole | None) -> Iterator[FieldError]:
    yield from rule_errors(new.rules, namespaced=False)
    selectors = new.aggregationRule.clusterRoleSelectors if new.aggregationRule is not None else None
    if new.aggregationRule is not None and not selectors:
        yield required(
            "aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil"
        )
    for index, selector in enumerate(selectors or ()):
        at = f"aggregationRule.clusterRoleSelectors[{index}]"
        wrong = [*validation.selector_errors(selector, at)]
        yield from wrong
        if wrong:
            yield invalid(at, None, "invalid label selector.")


RESOURCE = Resource(
    view=ClusterRole,
    group=GROUP,
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    namespaced=False,
    has_generation=False,
    create_on_update=True,
    validate=validate,
    validate_name=names.path_segment,
)
