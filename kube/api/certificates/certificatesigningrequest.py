"""CertificateSigningRequest: a wish for a certificate, to be approved and signed (certificates.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from kube.api.resource import Resource
from kube.api.types import CertificateSigningRequest

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
)
