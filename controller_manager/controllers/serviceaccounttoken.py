"""Service account token controller: fills secrets that were made to hold an account's token, and removes them with the account.

A secret of type kubernetes.io/service-account-token names its account in an annotation. It gets a token that never ends, the
cluster's CA and the namespace; nobody makes such secrets by themselves any more, but people still ask for them.
https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
kubernetes pkg/controller/serviceaccount/tokens_controller.go, pkg/serviceaccount/legacy.go
"""

import base64

import jwt

from controller_manager.controller import Context, Controller, Watch
from kube.api.meta import Key, Tree, key_of
from kube.api.status import NotFound
from kube.api.types import Secret, ServiceAccount
from kube.component.signing_keys import algorithm, key_id, private_key

TYPE = "kubernetes.io/service-account-token"
NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
ISSUER = "kubernetes/serviceaccount"


class ServiceAccountTokenController(Controller[Key]):
    name = "serviceaccount-token-controller"
    reads = (ServiceAccount,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        config = context.config
        assert config.service_account_private_key_file is not None, "start leaves this controller out where there is no key"
        self._key = private_key(config.service_account_private_key_file)
        self._authority = config.root_ca_file.read_bytes() if config.root_ca_file is not None else b""
        self._secrets = self.informer(Secret, field_selector=f"type={TYPE}")
        self._secrets.on_change(self._touched)

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(ServiceAccount, self._of_account),)

    def _touched(self, old: Secret | None, new: Secret | None) -> None:
        if new is not None:
            self.queue.add(key_of(new))

    def _of_account(self, account: ServiceAccount) -> list[Key]:
        here = self._secrets.cache.list(account.metadata.namespace or "")
        return [key_of(one) for one in here if (one.metadata.annotations or {}).get(NAME) == account.metadata.name]

    async def reconcile(self, key: Key) -> None:
        secret = self._secrets.cache.get(key)
        if secret is None or secret.metadata.deletionTimestamp is not None:
            return
        marks = secret.metadata.annotations or {}
        account = self.cache(ServiceAccount).get(Key(key.namespace, marks.get(NAME, "")))
        if account is None or marks.get(UID, account.metadata.uid) != account.metadata.uid:
            account = await self._newest(Key(key.namespace, marks.get(NAME, "")))
        if account is None or marks.get(UID, account.metadata.uid) != account.metadata.uid:
            await self._remove(secret)
            return
        patch = missing(secret, account, self._authority, self._token(secret, account))
        if patch:
            await self.client.patch(Secret, key, {"metadata": {"resourceVersion": secret.metadata.resourceVersion}} | patch)

    async def _newest(self, key: Key) -> ServiceAccount | None:
        """Past the cache: a secret is not removed because its account is new."""
        try:
            return await self.client.get(ServiceAccount, *key)
        except NotFound:
            return None

    async def _remove(self, secret: Secret) -> None:
        try:
            await self.client.delete(Secret, key_of(secret), uid=secret.metadata.uid)
        except NotFound:
            return

    def _token(self, secret: Secret, account: ServiceAccount) -> str:
        namespace, name = account.metadata.namespace, account.metadata.name
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{name}",
            "kubernetes.io/serviceaccount/namespace": namespace,
            "kubernetes.io/serviceaccount/secret.name": secret.metadata.name,
            "kubernetes.io/serviceaccount/service-account.name": name,
            "kubernetes.io/serviceaccount/service-account.uid": account.metadata.uid,
        }
        return jwt.encode(claims, self._key, algorithm=algorithm(self._key), headers={"kid": key_id(self._key.public_key())})


def missing(secret: Secret, account: ServiceAccount, authority: bytes, token: str) -> Tree:
    """A merge patch with what the secret lacks; empty where it has all. Pure."""
    have = secret.data or {}
    wanted = {"ca.crt": authority, "namespace": (account.metadata.namespace or "").encode()}
    data = {name: _encoded(value) for name, value in wanted.items() if value and have.get(name) != _encoded(value)}
    if not have.get("token"):
        data["token"] = _encoded(token.encode())
    patch: Tree = {"data": data} if data else {}
    if (secret.metadata.annotations or {}).get(UID) != account.metadata.uid:
        patch["metadata"] = {"annotations": {UID: account.metadata.uid}, "resourceVersion": secret.metadata.resourceVersion}
    return patch


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()
