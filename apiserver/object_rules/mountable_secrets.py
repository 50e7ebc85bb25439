"""Mountable secrets: what the pods of a ServiceAccount may refer to that carries kubernetes.io/enforce-mountable-secrets. Pure.

https://kubernetes.io/docs/concepts/security/service-accounts/#enforce-mountable-secrets
upstream plugin/pkg/admission/serviceaccount
"""

from collections.abc import Iterator

from apiserver.auth.node.graph import named_by
from kube.api.meta import Key, Tree

WORDS = {"initContainers": "init container", "containers": "container", "ephemeralContainers": "ephemeral container"}


def complaints(spec: Tree, account: Tree) -> Iterator[str]:
    """The secrets that a pod's spec names and its account does not, in upstream's words."""
    name, known = account["metadata"]["name"], {one.get("name") for one in account.get("secrets") or ()}
    refused = f"is not allowed because service account {name} does not reference that secret"
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if secret and secret not in known:
            yield f'volume with secret.secretName="{secret}" {refused}'
    for where, secret in _of_containers(spec):
        if secret not in known:
            yield f'{where} referencing secret.secretName="{secret}" {refused}'
    pulls = {one.get("name") for one in account.get("imagePullSecrets") or ()}
    for index, one in enumerate(spec.get("imagePullSecrets") or ()):
        if one.get("name") not in pulls:
            refused = f"is not allowed because service account {name} does not reference that imagePullSecret"
            yield f'imagePullSecrets[{index}].name="{one.get("name", "")}" {refused}'


def of_mirror(spec: Tree) -> str:
    """What a mirror pod does that it may not: what it shows is not the API server's to give."""
    if spec.get("serviceAccountName"):
        return "reference service accounts"
    if any(one.plural == "secrets" for one in named_by(Key("", ""), spec)):
        return "reference secrets"
    projected = [source for one in spec.get("volumes") or () for source in (one.get("projected") or {}).get("sources") or ()]
    return "use ServiceAccountToken volume projections" if any("serviceAccountToken" in one for one in projected) else ""


def _of_containers(spec: Tree) -> Iterator[tuple[str, str]]:
    """Which container refers how to which secret."""
    for group, word in WORDS.items():
        for container in spec.get(group) or ():
            named = f"{word} {container['name']}"
            for env in container.get("env") or ():
                reference = (env.get("valueFrom") or {}).get("secretKeyRef")
                if reference is not None:
                    yield f"{named} with envVar {env['name']}", reference.get("name", "")
            for source in container.get("envFrom") or ():
                if source.get("secretRef") is not None:
                    yield f"{named} with envFrom", source["secretRef"].get("name", "")
