"""Requests for certificates: what can be read at all."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controller_manager.certificates import parsed

CURVE = bytes.fromhex("06082a8648ce3d030107")  # the name of P-256 in DER
UNKNOWN_CURVE = bytes.fromhex("06082a8648ce3d03017f")


def in_pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n"


def test_a_request_whose_key_or_names_cannot_be_read_is_refused_and_raises_nothing() -> None:
    """Rule: pkg/apis/certificates/helpers.go (ParseCSR)"""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("example.com")])
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(names, critical=False).sign(key, hashes.SHA256())
    der = request.public_bytes(serialization.Encoding.DER)
    assert parsed(in_pem(der)) == request
    assert parsed(in_pem(der.replace(CURVE, UNKNOWN_CURVE))) is None
    assert parsed(in_pem(der.replace(b"\x82\x0bexample.com", b"\x83\x0bexample.com"))) is None  # an x400Address
    assert parsed(b"no request") is None
