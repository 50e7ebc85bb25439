"""Keys that sign tokens: a private key whose halves do not fit is refused when the program starts, not when tokens fail."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from kube.component.signing_keys import algorithm, key_id, private_key, public_key


def _write(path: Path, key: PrivateKeyTypes) -> Path:
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return path


def test_a_private_key_serves_as_its_public_half_too(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--service-account-key-file)"""
    for key, name in ((rsa.generate_private_key(65537, 2048), "RS256"), (ec.generate_private_key(ec.SECP256R1()), "ES256")):
        path = _write(tmp_path / name, key)
        assert key_id(private_key(path).public_key()) == key_id(public_key(path))
        assert algorithm(private_key(path)) == algorithm(public_key(path)) == name


def test_a_private_key_whose_halves_do_not_fit_is_refused(tmp_path: Path) -> None:
    """Rule: a server that cannot make tokens does not start."""
    one, other = (rsa.generate_private_key(65537, 2048).private_numbers() for _ in range(2))
    numbers = rsa.RSAPrivateNumbers(one.p, one.q, other.d, other.dmp1, other.dmq1, one.iqmp, one.public_numbers)
    path = _write(tmp_path / "mixed", numbers.private_key(unsafe_skip_rsa_key_validation=True))
    with pytest.raises(ValueError, match="does not fit"):
        private_key(path)
