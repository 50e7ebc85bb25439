"""Admission: rules about writes that look beyond the object itself. In upstream's order.

A plugin is an object with `mutate`, `validate` or both; it is told what happens (AdmissionAttributes) and raises to refuse. Where
it names `kinds`, it is asked about objects of these alone. Where it is `idle(server)`, nothing being configured
for it, nobody asks it until something changes of what requests are judged by (storage/abreast.py).
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from collections.abc import Awaitable, Callable
from typing import Any

from apiserver.admission import (
    certificate_requestor,
    certificate_signers,
    claim_resize,
    default_class,
    default_toleration_seconds,
    limit_ranger,
    namespace_lifecycle,
    owner_references,
    priority,
    resource_quota,
    role_escalation,
    runtime_class,
    service_account,
    storage_object_in_use,
    taint_nodes_by_condition,
)
from apiserver.admission.node_restriction.plugin import NodeRestriction
from apiserver.admission.pod_security.plugin import PodSecurity
from apiserver.admission.policy.mutating import MutatingPolicies
from apiserver.admission.policy.validating import ValidatingPolicies
from apiserver.admission.webhook.mutating import MutatingWebhook
from apiserver.admission.webhook.validating import ValidatingWebhook
from apiserver.context import AdmissionAttributes, Server
from kube.component.run import StartupError

Step = Callable[[AdmissionAttributes, Server], Awaitable[None]]

ADMISSION: tuple[Any, ...] = (
    namespace_lifecycle.NamespaceLifecycle(),
    limit_ranger.LimitRanger(),
    service_account.ServiceAccountAdmission(),
    NodeRestriction(),
    taint_nodes_by_condition.TaintNodesByCondition(),
    PodSecurity(),
    priority.Priority(),
    default_toleration_seconds.DefaultTolerationSeconds(),
    default_class.DefaultStorageClass(),
    storage_object_in_use.StorageObjectInUseProtection(),
    claim_resize.PersistentVolumeClaimResize(),
    runtime_class.RuntimeClassAdmission(),
    certificate_signers.CertificateApproval(),
    certificate_signers.CertificateSigning(),
    certificate_signers.CertificateSubjectRestriction(),
    default_class.DefaultIngressClass(),
    certificate_requestor.CertificateRequestor(),
    role_escalation.RoleEscalation(),
    owner_references.OwnerReferencesPermissionEnforcement(),
    MutatingPolicies(),
    MutatingWebhook(),
    ValidatingPolicies(),
    ValidatingWebhook(),
    resource_quota.QuotaAdmission(),  # last: it charges
)


class Chain:
    """The plugins that are on."""

    def __init__(self, plugins: tuple[Any, ...]) -> None:
        self._plugins = plugins
        self._named = frozenset(kind for one in plugins for kind in getattr(one, "kinds", ()))
        self._asked: dict[str, tuple[list[Step], list[Step]]] = {}  # who is asked about a kind; all others are as ""
        self._judged = -1  # what that was found at

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        """Once; and once more where a plugin asks for that, since it changed what those before it have seen."""
        mutating, _ = self._steps(attributes.resource.kind, server)
        for step in mutating:
            await step(attributes, server)
        if attributes.reinvocation == "wanted":
            attributes.reinvocation = "again"
            for step in mutating:
                await step(attributes, server)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        for step in self._steps(attributes.resource.kind, server)[1]:
            await step(attributes, server)

    def _steps(self, kind: str, server: Server) -> tuple[list[Step], list[Step]]:
        """What mutates and what validates objects of a kind."""
        judged = server.stores.feed.judged
        if judged != self._judged:
            self._judged = judged
            self._asked.clear()
        kind = kind if kind in self._named else ""
        found = self._asked.get(kind)
        if found is None:
            concerned = [one for one in self._plugins if kind in getattr(one, "kinds", (kind,))]
            asked = [one for one in concerned if not hasattr(one, "idle") or not one.idle(server)]
            mutating = [one.mutate for one in asked if hasattr(one, "mutate")]
            found = self._asked[kind] = mutating, [one.validate for one in asked if hasattr(one, "validate")]
        return found


def build(server: Server) -> Chain:
    """The chain that the flags ask for. Raises StartupError for a plugin that nobody knows."""
    known = {plugin.name for plugin in ADMISSION}
    for name in (*server.config.enable_admission_plugins, *server.config.disable_admission_plugins):
        if name not in known:
            raise StartupError(f'enable-admission-plugins plugin "{name}" is unknown')
    on, off = server.config.enable_admission_plugins, server.config.disable_admission_plugins
    chosen = (plugin for plugin in ADMISSION if plugin.name not in off)
    return Chain(tuple(plugin for plugin in chosen if getattr(plugin, "by_default", True) or plugin.name in on))
