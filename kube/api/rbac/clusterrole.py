"""ClusterRole: what may be done, in any namespace or outside of them (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from kube.api.resource import Resource
from kube.api.types import ClusterRole

RESOURCE = Resource(
    view=ClusterRole,
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    namespaced=False,
    has_generation=False,
    create_on_update=True,
)
