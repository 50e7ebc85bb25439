"""RoleBinding: gives a role to subjects, in one namespace (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.rbac.rules import BINDING_COLUMNS, GROUP, binding_errors, set_binding_defaults
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import RoleBinding


def validate(new: RoleBinding, old: RoleBinding | None) -> Iterator[FieldError]:
    yield from binding_errors(new, old, namespaced=True)


RESOURCE = Resource(
    view=RoleBinding,
    group=GROUP,
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    has_generation=False,
    create_on_update=True,
    set_defaults=set_binding_defaults,
    validate=validate,
    validate_name=names.path_segment,
    columns=BINDING_COLUMNS,
)
