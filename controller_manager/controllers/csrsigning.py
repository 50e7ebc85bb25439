"""CSR signing: approved requests of the cluster's own signers get their certificate.

What a signer does not sign is told in the condition Failed. Certificates last as long as was asked for, and at most
--cluster-signing-duration.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
kubernetes pkg/controller/certificates/signer/signer.go
"""

import base64
from datetime import timedelta

from controller_manager.certificates import SIGNERS, authority, parsed, problem, signed
from controller_manager.controller import Context, Controller
from kube.api.meta import Key, Tree
from kube.api.types import CertificateSigningRequest
from kube.api.views import timestamp, tree_of


class CSRSigning(Controller[Key]):
    name = "certificatesigningrequest-signing-controller"
    reconciles = CertificateSigningRequest

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        certificate, key = context.config.cluster_signing_cert_file, context.config.cluster_signing_key_file
        assert certificate is not None, "start leaves this controller out where there is no authority"
        assert key is not None, "start asks for both files or none"
        self._authority = authority(certificate, key)

    async def reconcile(self, key: Key) -> None:
        found = self.cache(CertificateSigningRequest).get(key)
        if found is None or not to_be_signed(found):
            return
        request = parsed(base64.b64decode(found.spec.request or ""))
        if request is None:
            text = "unable to parse csr"
        else:
            text = problem(found.spec.signerName, request, found.spec.usages or (), found.spec.username or "")
        if text or request is None:
            await self.write_status(found, {"conditions": self._failed(found, text)})
            return
        longest = timedelta(seconds=self.config.cluster_signing_duration)
        asked = found.spec.expirationSeconds
        lasts = min(timedelta(seconds=asked), longest) if asked else longest
        certificate = signed(self._authority, request, found.spec.usages or (), self.clock.now(), lasts)
        await self.write_status(found, {"certificate": base64.b64encode(certificate).decode()})

    def _failed(self, found: CertificateSigningRequest, text: str) -> list[Tree]:
        now = timestamp(self.clock.now())
        condition = {
            "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": text, "lastUpdateTime": now,
            "lastTransitionTime": now,
        }  # fmt: skip
        return [*(tree_of(one) for one in found.status.conditions or ()), condition]


def to_be_signed(found: CertificateSigningRequest) -> bool:
    """Approved, ours, and not dealt with yet."""
    types = {one.type for one in found.status.conditions or ()}
    return (
        found.spec.signerName in SIGNERS
        and not found.status.certificate
        and "Approved" in types
        and not types & {"Denied", "Failed"}
    )
