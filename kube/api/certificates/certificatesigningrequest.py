"""CertificateSigningRequest: a wish for a certificate, to be approved and signed (certificates.k8s.io/v1).

Its spec never changes; /approval writes the conditions, /status the certificate and those that are no decisions. Who
asks is filled in by the API server.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kube.api import duration, names
from kube.api.certificates import conditions
from kube.api.columns import AGE, NONE, plain
from kube.api.late import late
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, go_quoted, invalid, required, too_long, unsupported
from kube.api.types import CertificateSigningRequest
from kube.api.views import timestamp

if TYPE_CHECKING:
    from cryptography import exceptions, x509
else:
    exceptions, x509 = late("cryptography.exceptions"), late("cryptography.x509")

USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
    "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user",
    "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing",
    "timestamping",
)  # fmt: skip
SHORTEST_SECONDS = 600
PEM_BLOCK = re.compile(rb"-----BEGIN ([^\n-]+)-----\n(.*?)-----END \1-----", re.DOTALL)
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}
    else:
        new["spec"] = old["spec"]


def validate(new: CertificateSigningRequest, old: CertificateSigningRequest | None) -> Iterator[FieldError]:
    spec = new.spec
    if complaint := _request_complaint(spec.request or "") if old is None else "":
        yield invalid("spec.request", spec.request or "", complaint)
    if not spec.usages:
        yield required("spec.usages", "usages must be provided")
    for index, usage in enumerate(spec.usages or ()):
        if usage not in USAGES:
            yield unsupported(f"spec.usages[{index}]", usage, USAGES)
        if usage in spec.usages[:index]:
            yield duplicate(f"spec.usages[{index}]", usage)
    if old is None and spec.signerName == LEGACY_SIGNER:
        yield invalid("spec.signerName", spec.signerName, "the legacy signerName is not allowed via this API version")
    else:
        yield from _signer(spec.signerName or "")
    if spec.expirationSeconds is not None and spec.expirationSeconds < SHORTEST_SECONDS:
        yield invalid(
            "spec.expirationSeconds", spec.expirationSeconds, "may not specify a duration less than 600 seconds (10 minutes)"
        )


def status_errors(new: CertificateSigningRequest, old: CertificateSigningRequest) -> Iterator[FieldError]:
    if complaint := _certificate_complaint(new.status.certificate or ""):
        yield invalid("status.certificate", "<certificate data>", complaint)
    yield from conditions.status_errors(new, old)


def _certificate_complaint(encoded: str) -> str:
    """What is wrong with the certificates that were issued, in PEM."""
    if not encoded:
        return ""
    blocks = PEM_BLOCK.findall(b64decode(encoded))
    for kind, lines in blocks:
        if kind != b"CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {go_quoted(kind.decode('latin-1'))}"
        if b":" in lines:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(b64decode(lines))
        except ValueError as error:
            return f"x509: malformed certificate: {error}"
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def _request_complaint(encoded: str) -> str:
    """What is wrong with a PKCS#10 request in PEM."""
    try:
        pem = b64decode(encoded)
    except Base64Error:
        pem = b""
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_pem_x509_csr(pem)
        return "" if request.is_signature_valid else "x509: signature is not valid"
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        return f"asn1: structure error: {error}"


def _signer(name: str) -> Iterator[FieldError]:
    path = "spec.signerName"
    if not name:
        yield required(path)
        return
    parts = name.split("/")
    if len(parts) != 2:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(path, name, text)
        return
    if len(parts[0]) > names.SUBDOMAIN_LENGTH:
        yield too_long(path, names.SUBDOMAIN_LENGTH)
    for label in parts[0].split("."):
        for complaint in names.label(label):
            yield invalid(path, parts[0], f'validating label "{label}": {complaint}')
    if "." not in parts[0]:
        yield invalid(path, parts[0], "should be a domain with at least two segments separated by dots")
    for label in parts[1].split("."):
        for complaint in names.subdomain(label):
            yield invalid(path, parts[1], f'validating label "{label}": {complaint}')


def condition(request: CertificateSigningRequest) -> str:
    """`Approved,Issued`: what was decided, and what came of it."""
    true = {one.type for one in request.status.conditions or ()}
    words = ["Denied" if "Denied" in true else "Approved" if "Approved" in true else "Pending"]
    if "Failed" in true:
        words.append("Failed")
    if request.status.certificate:
        words.append("Issued")
    return ",".join(words)


def requested_duration(request: CertificateSigningRequest) -> str:
    seconds = request.spec.expirationSeconds
    return NONE if seconds is None else duration.human(seconds)


RESOURCE = Resource(
    view=CertificateSigningRequest,
    group="certificates.k8s.io",
    version="v1",
    kind="CertificateSigningRequest",
    plural="certificatesigningrequests",
    namespaced=False,
    short_names=("csr",),
    subresources=("approval", "status"),
    has_generation=False,
    prepare=prepare,
    prepare_status=lambda new, old: conditions.prepare_status(new, old, timestamp(datetime.now(UTC))),
    validate=validate,
    validate_status=status_errors,
    validate_name=names.path_segment,
    columns=(
        AGE,
        plain("SignerName", lambda request: request.spec.signerName or NONE),
        plain("Requestor", lambda request: request.spec.username or ""),
        plain("RequestedDuration", requested_duration),
        plain("Condition", condition),
    ),
    field_selectors={"spec.signerName": lambda tree: (tree.get("spec") or {}).get("signerName") or ""},
)
