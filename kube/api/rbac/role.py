"""Role: what may be done in one namespace (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.rbac.rules import GROUP, rule_errors
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import Role


def validate(new: Role, old: Role | None) -> Iterator[FieldError]:
    yield from rule_errors(new.rules, namespaced=True)


RESOURCE = Resource(
    view=Role,
    group=GROUP,
    version="v1",
    kind="Role",
    plural="roles",
    has_generation=False,
    create_on_update=True,
    validate=validate,
    validate_name=names.path_segment,
)
