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
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
else:
    serialization = late("cryptography.hazmat.primitives.serialization")
    ec = late("cryptography.hazmat.primitives.asymmetric.ec")
    rsa = late("cryptography.hazmat.primitives.asymmetric.rsa")


def private_key(path: Path) -> PrivateKey:
    """Raises OSError, ValueError."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey), f"{path} must hold an RSA or EC key"
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


def key_id(key: PublicKey) -> str:
    """The key's name in a token's header: the hash of its public half, as upstream."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def algorithm(key: PrivateKey | PublicKey) -> str:
    return "RS256" if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) else "ES256"
