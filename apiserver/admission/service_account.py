"""ServiceAccount: every pod runs as one, and gets its token.

Sets serviceAccountName to `default`; adds the account's imagePullSecrets; mounts a projected volume with a token (an hour,
renewed by the kubelet), the cluster's CA and the namespace. Mirror pods are left alone.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
"""

import random

from apiserver.context import AdmissionAttributes, Server
from apiserver.object_rules import mountable_secrets
from kube.api import names
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import NotFound, is_forbidden
from kube.api.types import ServiceAccount

MIRROR = "kubernetes.io/config.mirror"
ENFORCED = "kubernetes.io/enforce-mountable-secrets"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607  # an hour, and a little, so that it is told from one that was asked for
VOLUME_PREFIX = "kube-api-access-"

_random = random.SystemRandom()


class ServiceAccountAdmission:
    name = "ServiceAccount"
    kinds = ("Pod",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind != "Pod" or attributes.subresource or attributes.operation != "CREATE":
            return
        pod = attributes.object
        assert pod is not None, "a create has an object"
        if MIRROR in (pod["metadata"].get("annotations") or {}):
            await self.validate(attributes, server)  # before anybody else speaks of it
            return
        spec = pod["spec"]
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(attributes, name, server)
        if mounts_token(spec, account):
            mount_token(spec, VOLUME_PREFIX + names.generate("", _random.choice))
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": one["name"]} for one in account["imagePullSecrets"]]

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        """An account that says so keeps its pods from secrets that it does not list."""
        new, parts = attributes.object, ("", "ephemeralcontainers")
        if attributes.resource.kind != "Pod" or new is None or attributes.subresource not in parts:
            return
        if attributes.operation not in ("CREATE", "UPDATE") or (attributes.operation == "UPDATE" and not attributes.subresource):
            return
        if MIRROR in (new["metadata"].get("annotations") or {}):
            if what := mountable_secrets.of_mirror(new["spec"]):
                raise is_forbidden("pods", "", attributes.said_name, f"a mirror pod may not {what}")
            return
        account = await self._account(attributes, new["spec"].get("serviceAccountName") or "default", server)
        if (account["metadata"].get("annotations") or {}).get(ENFORCED) != "true":
            return
        why = next(mountable_secrets.complaints(new["spec"], account), "")
        if why:
            raise is_forbidden("pods", "", attributes.said_name, why)

    async def _account(self, attributes: AdmissionAttributes, name: str, server: Server) -> Tree:
        store = server.stores.store_for(resource_of(ServiceAccount))
        key = Key(attributes.namespace, name)
        try:
            return store.cached(key) or await store.get(key)
        except NotFound:
            why = f'error looking up service account {key}: serviceaccount "{name}" not found'
            raise is_forbidden("pods", "", attributes.said_name, why) from None


def mounts_token(spec: Tree, account: Tree) -> bool:
    """The pod's word counts before the account's."""
    wish = spec.get("automountServiceAccountToken")
    return bool(account.get("automountServiceAccountToken", True) if wish is None else wish)


def mount_token(spec: Tree, volume: str) -> None:
    """Mount the token volume into every container that mounts nothing there itself."""
    mounted = False
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        mounts = container.setdefault("volumeMounts", [])
        if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
            mounts.append({"name": volume, "readOnly": True, "mountPath": MOUNT_PATH})
            mounted = True
        if not mounts:
            del container["volumeMounts"]
    if mounted:
        spec.setdefault("volumes", []).append({"name": volume, "projected": {"defaultMode": 0o644, "sources": _sources()}})


def _sources() -> list[Tree]:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
