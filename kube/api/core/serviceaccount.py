"""ServiceAccount: who a pod is, to the API (v1).

https://kubernetes.io/docs/concepts/security/service-accounts/
"""

from collections.abc import Iterator

from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.types import ServiceAccount

ENFORCE = "kubernetes.io/enforce-mountable-secrets"


def warnings(new: ServiceAccount, old: ServiceAccount | None) -> Iterator[str]:
    if ENFORCE in (new.metadata.annotations or {}):
        text = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        yield f"metadata.annotations[{ENFORCE}]: {text}"


def prepare(new: Tree, old: Tree | None) -> None:
    """Of a secret, only its name is kept."""
    for place, secret in enumerate(new.get("secrets") or ()):
        new["secrets"][place] = {"name": secret["name"]} if secret.get("name") else {}


RESOURCE = Resource(
    view=ServiceAccount,
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    short_names=("sa",),
    subresources=("token",),
    has_generation=False,
    prepare=prepare,
    warnings=warnings,
    columns=(plain("Secrets", lambda account: len(account.secrets or ())), AGE),
)
