"""Self-signed: a server's certificate and key where nobody gave it any; clients that verify it cannot be served with it.

https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#client-and-serving-certificates
"""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kube.component.private_file import write_private

BACKDATE = timedelta(hours=1)  # clocks differ
PEM = serialization.Encoding.PEM


def self_signed(certificate: Path, key: Path, name: str, *, days: int, hosts: Iterable[str] = ()) -> None:
    """Write both files. `hosts` are names and addresses that it is for, beside `name`."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - BACKDATE).not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.SubjectAlternativeName([_host(one) for one in (name, *hosts)]), critical=False)
    certificate.parent.mkdir(parents=True, exist_ok=True)
    write_private(key, private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    write_private(certificate, builder.sign(private, hashes.SHA256()).public_bytes(PEM))


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
