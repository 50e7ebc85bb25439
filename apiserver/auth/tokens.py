"""Service account tokens: signed, bound to what they were made for, and worthless once that is gone.

JSON Web Tokens, signed with RS256 (or ES256) by PyJWT. A token names its ServiceAccount and, where it was made for a pod, the
pod; both must still exist with the uids in the token, or it authenticates nobody. Tokens of old stand in a Secret, which must
still hold them. A token's signature is verified once; whether all it names is still there is asked each time.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens (KEP-1205)
"""

from __future__ import annotations

import base64
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from itertools import starmap
from typing import TYPE_CHECKING, Any

from apiserver.context import Server, User
from kube.api.late import late
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import InternalError, NotFound
from kube.api.types import Node, Pod, Secret, ServiceAccount
from kube.component.signing_keys import algorithm, key_id, private_key, public_key

if TYPE_CHECKING:
    import jwt

    from kube.component.signing_keys import PublicKey
else:
    jwt = late("jwt")

BOUND_KINDS = {"pod": Pod, "node": Node, "secret": Secret}
CREDENTIAL = "authentication.kubernetes.io/credential-id"  # in a user's extra: which token or certificate it was
LEEWAY_SECONDS = 10
DELETED_SECONDS = 60  # how long a token still counts after what it is bound to began to be deleted and should be gone
LEGACY_ISSUER = "kubernetes/serviceaccount"
REMEMBERED = 8192  # verified tokens


class ServiceAccountTokens:
    def __init__(self, server: Server) -> None:
        config = server.config
        self._server = server
        self.issuer = config.service_account_issuer
        self.audiences = config.api_audiences or (config.service_account_issuer,)
        signing = config.service_account_signing_key_file
        self._signing = private_key(signing) if signing is not None else None
        self._known: OrderedDict[str, Tree] = OrderedDict()  # the claims of tokens whose signature was right
        self.keys: dict[str, PublicKey] = {}
        for path in config.service_account_key_file:
            key = public_key(path)
            self.keys[key_id(key)] = key

    def issue(self, account: Tree, audiences: tuple[str, ...], seconds: int, bound: Tree | None = None, warn_after: int = 0) -> str:
        """A token for a ServiceAccount; `bound` is {"kind": "pod", "name":, "uid":, "node": ...} of what it is made for.

        `warn_after`: seconds after which a newer one should be in use, where this one counts for longer.
        """
        if self._signing is None:
            raise InternalError("Internal error occurred: no key to sign service account tokens with")
        metadata = account["metadata"]
        now = int(time.time())
        private: Tree = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound is not None:
            private[bound["kind"]] = {"name": bound["name"], "uid": bound["uid"]}
            if bound.get("node"):
                private["node"] = bound["node"]
        if warn_after:
            private["warnafter"] = now + warn_after
        claims = {
            "aud": list(audiences or self.audiences),
            "exp": now + seconds,
            "iat": now,
            "nbf": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
            "kubernetes.io": private,
        }
        headers = {"kid": key_id(self._signing.public_key())}
        return jwt.encode(claims, self._signing, algorithm=algorithm(self._signing), headers=headers)

    async def user_of(self, token: str, audiences: tuple[str, ...] = ()) -> tuple[User, tuple[str, ...]] | None:
        """The user that a token stands for, with those of `audiences` (else of the server's own) that it is meant for.

        None where it is not ours, is over, or its object is gone.
        """
        wanted = audiences or tuple(self.audiences)
        claims = self._verified(token, wanted)
        if claims is None:
            return None
        if claims["iss"] == LEGACY_ISSUER:
            user = await self._legacy_user(token, claims)
            return (user, wanted) if user is not None else None
        for view, key, uid in _bound_to(claims):
            if not await self._exists(view, key, uid):
                return None
        return _user(claims), tuple(one for one in wanted if one in claims["aud"])

    def surely(self, token: str) -> User | None:
        """The user of a token that was verified before, and all of whose objects are in the caches."""
        if token not in self._known:
            return None
        claims = self._verified(token, tuple(self.audiences))
        if claims is None or claims["iss"] == LEGACY_ISSUER or not all(starmap(self._is_there, _bound_to(claims))):
            return None
        return _user(claims)

    def jwks(self) -> Tree:
        """The public keys, as /openid/v1/jwks answers."""
        return {"keys": [_jwk(identity, key) for identity, key in self.keys.items()]}

    def _verified(self, token: str, audiences: tuple[str, ...]) -> Tree | None:
        """The claims of a token of ours that counts now, and for one of the audiences."""
        claims = self._known.get(token)
        if claims is None:
            claims = self._decoded(token)
            if claims is None:
                return None
            self._known[token] = claims
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if claims["iss"] == LEGACY_ISSUER:
            return claims
        now = time.time()
        in_time = claims["nbf"] - LEEWAY_SECONDS <= now < claims["exp"] + LEEWAY_SECONDS
        return claims if in_time and any(one in claims["aud"] for one in audiences) else None

    def _decoded(self, token: str) -> Tree | None:
        options: Any = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            key = self.keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return None
            claims: Tree = jwt.decode(token, key, algorithms=["RS256", "ES256"], options=options)
        except jwt.PyJWTError:
            return None
        issued = claims.get("iss") == self.issuer and claims.keys() >= {"aud", "exp", "nbf", "sub"}
        return claims if issued or claims.get("iss") == LEGACY_ISSUER else None

    async def _legacy_user(self, token: str, claims: Tree) -> User | None:
        """Of a token that stands in a Secret and never ends."""
        said = {name.rpartition("/")[2]: value for name, value in claims.items()}
        namespace, name, uid = said.get("namespace", ""), said.get("service-account.name", ""), said.get("service-account.uid", "")
        secret = self._server.stores.store_for(resource_of(Secret)).cached(Key(namespace, said.get("secret.name", "")))
        held = ((secret or {}).get("data") or {}).get("token")
        if secret is None or secret["metadata"].get("deletionTimestamp") or held != base64.b64encode(token.encode()).decode():
            return None
        if not await self._exists(ServiceAccount, Key(namespace, name), uid):
            return None
        return User(claims["sub"], ("system:serviceaccounts", f"system:serviceaccounts:{namespace}"), uid)

    def _is_there(self, view: type[Any], key: Key, uid: str) -> bool:
        """By the cache alone; what is being deleted does not count."""
        found = self._server.stores.store_for(resource_of(view)).cached_entry(key)
        return found is not None and found.metadata.uid == uid and not found.metadata.deletion_timestamp

    async def _exists(self, view: type[Any], key: Key, uid: str) -> bool:
        """By the cache, or else by etcd: another server may have made it a moment ago."""
        if self._is_there(view, key, uid):
            return True
        store = self._server.stores.store_for(resource_of(view))
        found = store.cached(key)
        if found is None or found["metadata"]["uid"] != uid:
            try:
                found = await store.get(key)
            except NotFound:
                return False
        if found["metadata"]["uid"] != uid:
            return False
        deleted = found["metadata"].get("deletionTimestamp")
        return not deleted or datetime.fromisoformat(deleted).timestamp() + DELETED_SECONDS > time.time()


def _bound_to(claims: Tree) -> Iterator[tuple[type[Any], Key, str]]:
    """What must still be there: kind, key and uid."""
    private = claims.get("kubernetes.io") or {}
    namespace, account = private.get("namespace", ""), private.get("serviceaccount") or {}
    yield ServiceAccount, Key(namespace, account.get("name", "")), account.get("uid", "")
    for kind, view in BOUND_KINDS.items():
        named = private.get(kind)
        where = "" if kind == "node" else namespace
        pods_node = kind == "node" and "pod" in private  # only told: the token is bound to the pod
        if named and not pods_node:
            yield view, Key(where, named.get("name", "")), named.get("uid", "")


def _user(claims: Tree) -> User:
    private = claims.get("kubernetes.io") or {}
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{private.get('namespace', '')}")
    return User(claims["sub"], groups, (private.get("serviceaccount") or {}).get("uid", ""), _extra(claims, private))


def _extra(claims: Tree, private: Tree) -> dict[str, list[str]]:
    extra = {CREDENTIAL: [f"JTI={claims['jti']}"]} if claims.get("jti") else {}
    for kind in ("pod", "node"):
        named = private.get(kind)
        if named:
            extra[f"authentication.kubernetes.io/{kind}-name"] = [named["name"]]
            if named.get("uid"):
                extra[f"authentication.kubernetes.io/{kind}-uid"] = [named["uid"]]
    return extra


def _jwk(identity: str, key: PublicKey) -> Tree:
    name = algorithm(key)
    family: Any = jwt.algorithms.RSAAlgorithm if name == "RS256" else jwt.algorithms.ECAlgorithm
    tree: Tree = family.to_jwk(key, as_dict=True)
    return {**{field: value for field, value in tree.items() if field != "key_ops"}, "use": "sig", "kid": identity, "alg": name}
