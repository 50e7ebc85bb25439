"""Service account tokens: signed, bound to what they were made for, and worthless once that is gone.

JSON Web Tokens, signed with RS256 (or ES256) by PyJWT. A token names its ServiceAccount and, where it was made for a pod, the
pod; both must still exist with the uids in the token, or it authenticates nobody.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens (KEP-1205)
"""

import base64
import hashlib
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from apiserver.context import Server, User
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import InternalError, NotFound
from kube.api.types import Node, Pod, Secret, ServiceAccount

BOUND_KINDS = {"pod": Pod, "node": Node, "secret": Secret}
LEEWAY_SECONDS = 10

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class ServiceAccountTokens:
    def __init__(self, server: Server) -> None:
        config = server.config
        self._server = server
        self.issuer = config.service_account_issuer
        self.audiences = config.api_audiences or (config.service_account_issuer,)
        self._signing = _private_key(config.service_account_signing_key_file)
        self.keys: dict[str, PublicKey] = {}
        for path in config.service_account_key_file:
            key = _public_key(path)
            self.keys[key_id(key)] = key

    def issue(self, account: Tree, audiences: tuple[str, ...], seconds: int, bound: Tree | None = None) -> str:
        """A token for a ServiceAccount; `bound` is {"kind": "pod", "name":, "uid":, "node": ...} of what it is made for."""
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
        algorithm = "RS256" if isinstance(self._signing, rsa.RSAPrivateKey) else "ES256"
        headers = {"kid": key_id(self._signing.public_key())}
        return jwt.encode(claims, self._signing, algorithm=algorithm, headers=headers)

    async def user_of(self, token: str, audiences: tuple[str, ...] = ()) -> tuple[User, tuple[str, ...]] | None:
        """The user that a token stands for, with those of `audiences` (else of the server's own) that it is meant for.

        None where it is not ours, is over, or its object is gone.
        """
        wanted = audiences or tuple(self.audiences)
        claims = self._verified(token, wanted)
        if claims is None:
            return None
        private = claims.get("kubernetes.io") or {}
        namespace, account = private.get("namespace", ""), private.get("serviceaccount") or {}
        if not await self._exists(ServiceAccount, Key(namespace, account.get("name", "")), account.get("uid", "")):
            return None
        for kind, view in BOUND_KINDS.items():
            named = private.get(kind)
            where = "" if kind == "node" else namespace
            pods_node = kind == "node" and "pod" in private  # only told: the token is bound to the pod
            if not named or pods_node:
                continue
            if not await self._exists(view, Key(where, named.get("name", "")), named.get("uid", "")):
                return None
        user = User(
            claims["sub"],
            ("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
            account.get("uid", ""),
            _extra(claims, private),
        )
        return user, tuple(one for one in wanted if one in claims["aud"])

    def jwks(self) -> Tree:
        """The public keys, as /openid/v1/jwks answers."""
        return {"keys": [_jwk(identity, key) for identity, key in self.keys.items()]}

    def _verified(self, token: str, audiences: tuple[str, ...]) -> Tree | None:
        try:
            key = self.keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return None
            claims: Tree = jwt.decode(
                token,
                key,
                algorithms=["RS256", "ES256"],
                audience=list(audiences),
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
            )
        except jwt.PyJWTError:
            return None
        return claims

    async def _exists(self, view: type[Any], key: Key, uid: str) -> bool:
        """By the cache, or else by etcd: another server may have made it a moment ago."""
        store = self._server.stores.store_for(resource_of(view))
        found = store.cached(key)
        if found is None or found["metadata"]["uid"] != uid:
            try:
                found = await store.get(key)
            except NotFound:
                return False
        return bool(found["metadata"]["uid"] == uid)


def key_id(key: PublicKey) -> str:
    """The key's name in a token's header: the hash of its public half, as upstream."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _extra(claims: Tree, private: Tree) -> dict[str, list[str]]:
    extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims.get('jti', '')}"]}
    for kind in ("pod", "node"):
        named = private.get(kind)
        if named:
            extra[f"authentication.kubernetes.io/{kind}-name"] = [named["name"]]
            extra[f"authentication.kubernetes.io/{kind}-uid"] = [named["uid"]]
    return extra


def _private_key(path: Path | None) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None:
    if path is None:
        return None
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey), f"{path} must hold an RSA or EC key"
    return key


def _public_key(path: Path) -> PublicKey:
    """From a public key, or from a private one's public half."""
    content = path.read_bytes()
    try:
        key: Any = serialization.load_pem_public_key(content)
    except ValueError:
        key = serialization.load_pem_private_key(content, password=None).public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey), f"{path} must hold an RSA or EC key"
    return key


def _jwk(identity: str, key: PublicKey) -> Tree:
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
    tree: Tree = algorithm.to_jwk(key, as_dict=True)
    name = "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"
    return {**{field: value for field, value in tree.items() if field != "key_ops"}, "use": "sig", "kid": identity, "alg": name}
