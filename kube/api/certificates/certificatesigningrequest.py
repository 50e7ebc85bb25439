"""CertificateSigningRequest: a wish for a certificate, to be approved and signed (certificates.k8s.io/v1).

Its spec never changes; /approval writes the conditions Approved and Denied, /status the certificate. Who asks is filled in by
the API server.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from collections.abc import Iterator

from kube.api import duration
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required
from kube.api.types import CertificateSigningRequest

USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
    "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user",
    "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing",
    "timestamping",
)  # fmt: skip
SHORTEST_SECONDS = 600


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}
    else:
        new["spec"] = old["spec"]


def validate(new: CertificateSigningRequest, old: CertificateSigningRequest | None) -> Iterator[FieldError]:
    spec = new.spec
    if not spec.request:
        yield required("spec.request")
    if not spec.usages:
        yield required("spec.usages", "usages must be provided")
    for index, usage in enumerate(spec.usages or ()):
        if usage not in USAGES:
            yield invalid(f"spec.usages[{index}]", usage, "unknown key usage")
        if usage in spec.usages[:index]:
            yield duplicate(f"spec.usages[{index}]", usage)
    if spec.expirationSeconds is not None and spec.expirationSeconds < SHORTEST_SECONDS:
        yield invalid(
            "spec.expirationSeconds", spec.expirationSeconds, "may not specify a duration less than 600 seconds (10 minutes)"
        )
    yield from _signer(spec.signerName or "")


def _signer(name: str) -> Iterator[FieldError]:
    if not name:
        yield required("spec.signerName")
        return
    domain, slash, path = name.partition("/")
    if not slash or "." not in domain or not path:
        yield invalid("spec.signerName", name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")


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
    validate=validate,
    columns=(
        AGE,
        plain("SignerName", lambda request: request.spec.signerName or NONE),
        plain("Requestor", lambda request: request.spec.username or ""),
        plain("RequestedDuration", requested_duration),
        plain("Condition", condition),
    ),
    field_selectors={"spec.signerName": lambda tree: (tree.get("spec") or {}).get("signerName") or ""},
)
