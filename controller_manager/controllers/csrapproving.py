"""CSR approving: a kubelet's request for its client certificate is approved where who asks may have one.

`selfnodeclient` for a node that renews its own; `nodeclient` for one that joins with a bootstrap token. Who may is asked by
SubjectAccessReview. All other requests are for people to decide.
https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#approval
kubernetes pkg/controller/certificates/approver/sarapprove.go
"""

import base64

from controller_manager.certificates import common_name, is_node_client, parsed
from controller_manager.controller import Controller
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import CertificateSigningRequest, SubjectAccessReview
from kube.api.views import tree_of

GROUP = "certificates.k8s.io"


class CSRApproving(Controller[Key]):
    name = "certificatesigningrequest-approving-controller"
    reconciles = CertificateSigningRequest

    async def reconcile(self, key: Key) -> None:
        found = self.cache(CertificateSigningRequest).get(key)
        if found is None or found.status.certificate or decided(found):
            return
        request = parsed(base64.b64decode(found.spec.request or ""))
        if request is None or not is_node_client(found, request):
            return
        forms = [("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")]
        if common_name(request) == found.spec.username:
            forms.insert(0, ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."))
        for form, message in forms:
            if await self._may(found, form):
                await self._approve(found, message)
                return

    async def _may(self, found: CertificateSigningRequest, form: str) -> bool:
        attributes = {
            "group": GROUP,
            "resource": "certificatesigningrequests",
            "verb": "create",
            "subresource": form,
            "version": "*",
        }
        who = {"user": found.spec.username, "uid": found.spec.uid, "groups": found.spec.groups, "extra": found.spec.extra}
        spec = {**{name: value for name, value in who.items() if value}, "resourceAttributes": attributes}
        answer = await self.client.create(SubjectAccessReview, {"spec": spec})
        return bool(answer["status"].get("allowed"))

    async def _approve(self, found: CertificateSigningRequest, message: str) -> None:
        condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
        row, tree = resource_of(CertificateSigningRequest), tree_of(found)
        status: Tree = {**tree.get("status", {}), "conditions": [*(tree.get("status", {}).get("conditions") or []), condition]}
        body = {"apiVersion": row.api_version, "kind": row.kind, **tree, "status": status}
        await self.client.update(CertificateSigningRequest, body, subresource="approval")


def decided(found: CertificateSigningRequest) -> bool:
    return any(one.type in ("Approved", "Denied") for one in found.status.conditions or ())
