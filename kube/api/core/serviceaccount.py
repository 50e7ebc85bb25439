"""ServiceAccount: who a pod is, to the API (v1).

https://kubernetes.io/docs/concepts/security/service-accounts/
"""

from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.types import ServiceAccount

RESOURCE = Resource(
    view=ServiceAccount,
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    short_names=("sa",),
    subresources=("token",),
    has_generation=False,
    columns=(plain("Secrets", lambda account: str(len(account.secrets or ()))), AGE),
)
