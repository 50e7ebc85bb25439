"""CertificateRequestor: a certificate signing request says who made it, whatever it says itself.

Our choice of place: upstream's registry does this, where it knows the user (csrStrategy.PrepareForCreate).
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from apiserver.context import AdmissionAttributes, Server


class CertificateRequestor:
    name = "CertificateRequestor"
    kinds = ("CertificateSigningRequest",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new, user = attributes.object, attributes.user
        if attributes.resource.kind != "CertificateSigningRequest" or attributes.operation != "CREATE" or new is None:
            return
        spec = new.setdefault("spec", {})
        who = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
        for field, value in who.items():
            spec.pop(field, None)
            if value:
                spec[field] = value
