"""Certificates by request: what a request asks for, whether its signer may sign that, and the signing. Pure but for the clock.

    kubernetes.io/kube-apiserver-client          client certificates of users; approved by people
    kubernetes.io/kube-apiserver-client-kubelet  a node's client certificate; approved by csrapproving
    kubernetes.io/kubelet-serving                a node's serving certificate
    kubernetes.io/legacy-unknown                 whatever clients of old asked for

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
kubernetes pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from kube.api.types import CertificateSigningRequest

CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY = (
    f"kubernetes.io/{name}"
    for name in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
)
SIGNERS = (CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY)
NODE_PREFIX, NODES, MASTERS = "system:node:", "system:nodes", "system:masters"
BACKDATE = timedelta(minutes=5)
SHORTEST = timedelta(minutes=10)
CLIENT_USAGES = ({"digital signature", "key encipherment", "client auth"}, {"digital signature", "client auth"})
NOT_CLIENT_USAGES = "usages did not match {key encipherment, digital signature, client auth} or {digital signature, client auth}"
SERVING_USAGES = ({"digital signature", "key encipherment", "server auth"}, {"digital signature", "server auth"})
PURPOSES: dict[str, ObjectIdentifier] = {
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: SigningKey


def authority(certificate: Path, key: Path) -> Authority:
    """From the files of --cluster-signing-cert-file and --cluster-signing-key-file. Raises OSError, ValueError."""
    loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(loaded, SigningKey):
        raise ValueError(f"{key}: no key that can sign certificates")
    return Authority(x509.load_pem_x509_certificate(certificate.read_bytes()), loaded)


def parsed(request: bytes) -> x509.CertificateSigningRequest | None:
    """The request, if it can be read, its key is of a supported kind, and its signature is right."""
    try:
        found = x509.load_pem_x509_csr(request)
        _alternatives(found)  # extensions are read when they are asked for, and may be none
        return found if found.is_signature_valid else None
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def problem(signer: str, request: x509.CertificateSigningRequest, usages: Iterable[str], user: str) -> str:
    """Why the signer does not sign this, or nothing."""
    wanted = set(usages)
    match signer:
        case "kubernetes.io/kube-apiserver-client":
            return _client_problem(request, wanted)
        case "kubernetes.io/kube-apiserver-client-kubelet":
            return node_problem(request) or ("" if wanted in CLIENT_USAGES else NOT_CLIENT_USAGES)
        case "kubernetes.io/kubelet-serving":
            return _serving_problem(request, wanted, user)
    return ""


def _client_problem(request: x509.CertificateSigningRequest, usages: set[str]) -> str:
    if MASTERS in _values(request, NameOID.ORGANIZATION_NAME):
        return f"use of {CLIENT} signer with {MASTERS} group is not allowed"
    if "client auth" not in usages or not usages <= {"digital signature", "key encipherment", "client auth"}:
        return "usages did not match client auth, digital signature, key encipherment"
    return ""


def _node_subject_problem(request: x509.CertificateSigningRequest) -> str:
    if _values(request, NameOID.ORGANIZATION_NAME) != [NODES]:
        return f"subject organization is not {NODES}"
    names = _values(request, NameOID.COMMON_NAME)
    if len(names) != 1 or not names[0].startswith(NODE_PREFIX):
        return f"subject common name does not begin with {NODE_PREFIX}"
    return ""


def node_problem(request: x509.CertificateSigningRequest) -> str:
    """What keeps a request from being one for a node's client certificate."""
    text = _node_subject_problem(request)
    if not text and _alternatives(request):
        text = "DNS, IP, email and URI subjectAltNames are not allowed"
    return text


def _serving_problem(request: x509.CertificateSigningRequest, usages: set[str], user: str) -> str:
    text = _node_subject_problem(request)
    if text:
        return text
    names = _alternatives(request)
    if not any(isinstance(name, x509.DNSName | x509.IPAddress) for name in names):
        return "DNS or IP subjectAltName is required"
    if any(not isinstance(name, x509.DNSName | x509.IPAddress) for name in names):
        return "email and URI subjectAltNames are not allowed"
    if usages not in SERVING_USAGES:
        return "usages did not match {key encipherment, digital signature, server auth} or {digital signature, server auth}"
    if user != _values(request, NameOID.COMMON_NAME)[0]:
        return "requestor's username does not match the subject's common name"
    return ""


def is_node_client(one: CertificateSigningRequest, request: x509.CertificateSigningRequest) -> bool:
    return one.spec.signerName == KUBELET_CLIENT and not node_problem(request) and set(one.spec.usages or ()) in CLIENT_USAGES


def common_name(request: x509.CertificateSigningRequest) -> str:
    return next(iter(_values(request, NameOID.COMMON_NAME)), "")


def _values(request: x509.CertificateSigningRequest, oid: ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in request.subject.get_attributes_for_oid(oid)]


def _alternatives(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        return list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def signed(by: Authority, request: x509.CertificateSigningRequest, usages: Iterable[str], now: datetime, lasts: timedelta) -> bytes:
    """The certificate, PEM. It never outlives its authority."""
    until = min(now + max(lasts, SHORTEST), by.certificate.not_valid_after_utc)
    wanted = set(usages)
    key: Any = request.public_key()
    builder = (
        x509.CertificateBuilder(by.certificate.subject, request.subject, key, x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(wanted), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.certificate.public_key()), critical=False)  # type: ignore[arg-type]
    )
    purposes = list(dict.fromkeys(PURPOSES[usage] for usage in sorted(wanted) if usage in PURPOSES))
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    names = _alternatives(request)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if isinstance(by.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(by.key, algorithm).public_bytes(serialization.Encoding.PEM)


def _key_usage(usages: set[str]) -> x509.KeyUsage:
    agreement = "key agreement" in usages
    return x509.KeyUsage(
        digital_signature=bool(usages & {"digital signature", "signing"}),
        content_commitment="content commitment" in usages,
        key_encipherment="key encipherment" in usages,
        data_encipherment="data encipherment" in usages,
        key_agreement=agreement,
        key_cert_sign="cert sign" in usages,
        crl_sign="crl sign" in usages,
        encipher_only=agreement and "encipher only" in usages,
        decipher_only=agreement and "decipher only" in usages,
    )


def expiry(certificate: bytes) -> datetime | None:
    """When the first certificate of a PEM ends; None where it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    except ValueError:
        return None
