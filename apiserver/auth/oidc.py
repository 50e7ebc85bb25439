"""OpenID Connect: users whom another issuer vouches for, by its signed ID tokens.

The issuer's keys are fetched by its discovery document when the first token comes, and again when a token names a key that is not
known, at most once in ten seconds. A token must be issued by --oidc-issuer-url for --oidc-client-id, and have every
--oidc-required-claim; claims become the user's name and groups, with prefixes that keep them apart from the cluster's own.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
apiserver plugin/pkg/authenticator/token/oidc
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from apiserver.config import Config
from apiserver.context import User
from kube.api.late import late
from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.client import kubeconfig
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kube.component.run import StartupError

if TYPE_CHECKING:
    import jwt
else:
    jwt = late("jwt")

log = get_logger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 10.0  # at least between two looks for new keys


def build(config: Config) -> "OpenIdConnect | None":
    """None where no issuer is named. Raises StartupError."""
    if not config.oidc_issuer_url:
        return None
    if not config.oidc_issuer_url.startswith("https://"):
        raise StartupError(f"--oidc-issuer-url must be an https URL: {config.oidc_issuer_url}")
    if not config.oidc_client_id:
        raise StartupError("--oidc-issuer-url and --oidc-client-id should be specified together")
    authority = config.oidc_ca_file.read_bytes() if config.oidc_ca_file is not None else None
    required = dict(pair.partition("=")[::2] for pair in config.oidc_required_claim)
    return OpenIdConnect(config, authority, required)


class OpenIdConnect:
    def __init__(self, config: Config, authority: bytes | None, required: Mapping[str, str]) -> None:
        self._config = config
        self._authority = authority
        self._required = required
        self._keys: dict[str, Any] = {}
        self._looked = float("-inf")

    async def user_of(self, token: str, audiences: tuple[str, ...]) -> tuple[User, tuple[str, ...]] | None:
        """Tokens of others are left to others: the issuer is looked at before anything is fetched."""
        config = self._config
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            if claims.get("iss") != config.oidc_issuer_url:
                return None
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                return None
            claims = jwt.decode(
                token, key, algorithms=list(config.oidc_signing_algs), audience=config.oidc_client_id,
                issuer=config.oidc_issuer_url, options={"require": ["exp"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            log.debug("OIDC token refused", reason=error)
            return None
        user = user_of(claims, config, self._required)
        return (user, ()) if user is not None else None

    async def _key(self, identity: str) -> Any:
        if identity not in self._keys and time.monotonic() >= self._looked + FETCH_SECONDS:
            self._looked = time.monotonic()
            try:
                self._keys = await self._fetched()
            except (ApiError, Unreachable, KeyError, ValueError, jwt.PyJWTError) as error:
                log.warning("keys of the OIDC issuer cannot be fetched", issuer=self._config.oidc_issuer_url, reason=error)
        return self._keys.get(identity)

    async def _fetched(self) -> dict[str, Any]:
        document = await self._get(self._config.oidc_issuer_url.rstrip("/") + DISCOVERY)
        found = jwt.PyJWKSet.from_dict(await self._get(document["jwks_uri"]))
        return {key.key_id or "": key.key for key in found.keys}

    async def _get(self, url: str) -> Tree:
        parts = urlsplit(url)
        way = kubeconfig.Config(server=f"{parts.scheme}://{parts.netloc}", authority=self._authority)
        async with Client(way, "kube-apiserver") as client:
            return (await client.request("GET", parts.path or "/")).tree()


def user_of(claims: Tree, config: Config, required: Mapping[str, str]) -> User | None:
    """Whom verified claims make. Pure."""
    if any(claims.get(name) != value for name, value in required.items()):
        return None
    claim = config.oidc_username_claim
    name = claims.get(claim)
    if not isinstance(name, str) or not name:
        return None
    if claim == "email" and claims.get("email_verified", True) is not True:
        return None
    groups = claims.get(config.oidc_groups_claim) if config.oidc_groups_claim else None
    listed = [groups] if isinstance(groups, str) else [group for group in groups or () if isinstance(group, str)]
    prefix = config.oidc_groups_prefix
    return User(_prefix(config) + name, tuple(prefix + group for group in listed))


def _prefix(config: Config) -> str:
    """Names other than mail addresses are told apart by their issuer, unless the flag says how, or "-" not at all."""
    if config.oidc_username_prefix == "-":
        return ""
    if config.oidc_username_prefix or config.oidc_username_claim == "email":
        return config.oidc_username_prefix
    return config.oidc_issuer_url + "#"
