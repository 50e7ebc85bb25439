"""CSR cleaning: requests that are over are deleted.

An hour after they were approved or denied or failed; a day after they were made where nobody decided; at once when the
certificate has run out.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#request-signing-process
kubernetes pkg/controller/certificates/cleaner/cleaner.go
"""

import base64
from datetime import datetime, timedelta

from controller_manager.certificates import expiry
from controller_manager.controller import Controller
from kube.api.meta import Key
from kube.api.status import NotFound
from kube.api.types import CertificateSigningRequest

DECIDED, PENDING = timedelta(hours=1), timedelta(hours=24)


class CSRCleaning(Controller[Key]):
    name = "certificatesigningrequest-cleaner-controller"
    reconciles = CertificateSigningRequest

    async def reconcile(self, key: Key) -> float | None:
        found = self.cache(CertificateSigningRequest).get(key)
        if found is None:
            return None
        left = (end_of(found) - self.clock.now()).total_seconds()
        if left > 0:
            return left
        try:
            await self.client.delete(CertificateSigningRequest, key, uid=found.metadata.uid)
        except NotFound:
            return None
        return None


def end_of(found: CertificateSigningRequest) -> datetime:
    """When the request is of no more use. Pure."""
    decided = [
        _moment(one.lastUpdateTime or one.lastTransitionTime or found.metadata.creationTimestamp)
        for one in found.status.conditions or ()
        if one.type in ("Approved", "Denied", "Failed")
    ]
    end = min(decided) + DECIDED if decided else _moment(found.metadata.creationTimestamp) + PENDING
    over = expiry(base64.b64decode(found.status.certificate)) if found.status.certificate else None
    return min(end, over) if over is not None else end


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
