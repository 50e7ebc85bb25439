"""RoleBinding: gives a role to subjects, in one namespace (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from kube.api.resource import Resource
from kube.api.types import RoleBinding

RESOURCE = Resource(
    view=RoleBinding,
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    has_generation=False,
    create_on_update=True,
)
