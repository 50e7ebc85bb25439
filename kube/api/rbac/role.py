"""Role: what may be done in one namespace (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from kube.api.resource import Resource
from kube.api.types import Role

RESOURCE = Resource(
    view=Role,
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="Role",
    plural="roles",
    has_generation=False,
    create_on_update=True,
)
