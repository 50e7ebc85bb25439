"""ClusterRoleBinding: gives a ClusterRole to subjects, everywhere (rbac.authorization.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from kube.api.resource import Resource
from kube.api.types import ClusterRoleBinding

RESOURCE = Resource(
    view=ClusterRoleBinding,
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    namespaced=False,
    has_generation=False,
    create_on_update=True,
)
