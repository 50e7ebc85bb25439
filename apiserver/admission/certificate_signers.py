"""CertificateApproval, CertificateSigning, CertificateSubjectRestriction: who may decide over requests for certificates.

To approve or deny a request one needs the verb `approve` on its signer (`signers`, named `domain/name` or `domain/*`); to write its
certificate, `sign`. Nobody gets a client certificate of system:masters by the API.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization
kubernetes plugin/pkg/admission/certificates
"""

import base64
import binascii
from typing import TYPE_CHECKING

from apiserver.context import AdmissionAttributes, RequestInfo, Server
from kube.api.late import late
from kube.api.meta import Tree
from kube.api.status import Forbidden, is_forbidden

if TYPE_CHECKING:
    from cryptography import x509
else:
    x509 = late("cryptography.x509")

GROUP, KIND = "certificates.k8s.io", "CertificateSigningRequest"
CLIENT_SIGNER, MASTERS = "kubernetes.io/kube-apiserver-client", "system:masters"


class CertificateApproval:
    name = "CertificateApproval"
    kinds = ("CertificateSigningRequest",)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind == KIND and attributes.subresource == "approval" and attributes.old is not None:
            await _check(attributes, server, attributes.old, "approve")


class CertificateSigning:
    name = "CertificateSigning"
    kinds = ("CertificateSigningRequest",)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new, old = attributes.object, attributes.old
        if attributes.resource.kind != KIND or attributes.subresource != "status" or new is None or old is None:
            return
        if _outcome(new) != _outcome(old):
            await _check(attributes, server, old, "sign")


class CertificateSubjectRestriction:
    name = "CertificateSubjectRestriction"
    kinds = ("CertificateSigningRequest",)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new = attributes.object
        if attributes.resource.kind != KIND or attributes.operation != "CREATE" or attributes.subresource or new is None:
            return
        if new["spec"].get("signerName") == CLIENT_SIGNER and MASTERS in organisations(new["spec"].get("request") or ""):
            text = f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
            raise is_forbidden(attributes.resource.plural, GROUP, attributes.said_name, text)


def organisations(request: str) -> list[str]:
    """The groups that a request (base64 of PEM) asks for; what cannot be read is the validation's matter. Pure."""
    try:
        subject = x509.load_pem_x509_csr(base64.b64decode(request)).subject
    except (binascii.Error, ValueError):
        return []
    return [str(one.value) for one in subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)]


def _outcome(tree: Tree) -> tuple[str, list[Tree]]:
    """What a signer writes: the certificate, or that there will be none."""
    status = tree.get("status") or {}
    return status.get("certificate") or "", [one for one in status.get("conditions") or () if one.get("type") == "Failed"]


async def _check(attributes: AdmissionAttributes, server: Server, request: Tree, verb: str) -> None:
    signer = request["spec"].get("signerName") or ""
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        info = RequestInfo(verb, "", "", {}, is_resource=True, api_group=GROUP, api_version="v1", plural="signers", name=name)
        try:
            await server.authorizer.authorize(attributes.user, info)
        except Forbidden:
            continue
        return
    text = f'user not permitted to {verb} requests with signerName "{signer}"'
    raise is_forbidden(attributes.resource.plural, GROUP, attributes.said_name, text)
