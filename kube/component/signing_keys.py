"""Signing keys: the key pairs that sign and verify service accounts' tokens, from PEM files.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ · kubernetes pkg/serviceaccount/jwt.go
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kube.api.late import late

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
else:
    exceptions = late("cryptography.exceptions")
    hashes, serialization = late("cryptography.hazmat.primitives.hashes"), late("cryptography.hazmat.primitives.serialization")
    ec, rsa = late("cryptography.hazmat.primitives.asymmetric.ec"), late("cryptography.hazmat.primitives.asymmetric.rsa")
    padding = late("cryptography.hazmat.primitives.asymmetric.padding")


def private_key(path: Path) -> PrivateKey:
    """Raises OSError, ValueError. That an RSA key fits is seen by a signature: to calculate it takes twenty times as long."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey), f"{path} must hold an RSA or EC key"
    if isinstance(key, rsa.RSAPrivateKey):
        _try(key)
    return key


def public_key(path: Path) -> PublicKey:
    """From a public key, or from a private one's public half."""
    content = path.read_bytes()
    try:
        key: Any = serialization.load_pem_public_key(content)
    except ValueError:
        # Whether the private half fits takes long to tell, and does not matter here.
        key = serialization.load_pem_private_key(content, password=None, unsafe_skip_rsa_key_validation=True).public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey), f"{path} must hold an RSA or EC key"
    return key


def _try(key: rsa.RSAPrivateKey) -> None:
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    try:
        key.public_key().verify(key.sign(b"", scheme, digest), b"", scheme, digest)
    except exceptions.InvalidSignature:
        raise ValueError("the private key does not fit its public half") from None


def key_id(key: PublicKey) -> str:
    """The key's name in a token's header: the hash of its public half, as upstream."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def algorithm(key: PrivateKey | PublicKey) -> str:
    return "RS256" if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) else "ES256"
