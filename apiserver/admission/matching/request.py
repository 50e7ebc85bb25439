"""Request: whether, and in which version, a webhook or a policy is asked about a request.

apiserver pkg/admission/plugin/webhook/generic/webhook.go, pkg/admission/plugin/policy/matching, predicates/namespace/matcher.go
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from apiserver.admission.matching import rules
from apiserver.admission.matching.versions import equivalents
from apiserver.context import AdmissionAttributes, Server
from kube.api.labels import Labels, Selector
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import not_found
from kube.api.types import Namespace

EXEMPT = frozenset(
    ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations", "validatingadmissionpolicies",
     "validatingadmissionpolicybindings", "validatingwebhookconfigurations")
)  # fmt: skip


REVIEWS = frozenset(
    (("authentication.k8s.io", "selfsubjectreviews"), ("authentication.k8s.io", "tokenreviews"),
     ("authorization.k8s.io", "localsubjectaccessreviews"), ("authorization.k8s.io", "selfsubjectaccessreviews"),
     ("authorization.k8s.io", "selfsubjectrulesreviews"), ("authorization.k8s.io", "subjectaccessreviews"))
)  # fmt: skip


class Match(Protocol):
    """What is asked about which requests."""

    @property
    def rules(self) -> Sequence[Tree]: ...
    @property
    def excluded(self) -> Sequence[Tree]: ...  # rules whose requests it is not asked about
    @property
    def namespace_selector(self) -> Selector: ...
    @property
    def object_selector(self) -> Selector: ...
    @property
    def equivalent(self) -> bool: ...  # matchPolicy Equivalent: also asked about other versions of what its rules name


def is_exempt(attributes: AdmissionAttributes) -> bool:
    """Webhooks and policies are never asked about what configures them, so that a bad one can always be removed."""
    row = attributes.resource
    return row.group == "admissionregistration.k8s.io" and row.plural in EXEMPT


def is_exempt_from_policies(attributes: AdmissionAttributes) -> bool:
    """Policies are not asked about questions either: who may answer for them could then not be asked."""
    row = attributes.resource
    return is_exempt(attributes) or (row.group, row.plural) in REVIEWS


def row_for(match: Match, attributes: AdmissionAttributes, server: Server) -> Resource | None:
    """The version in which it is asked about this request; None: in none. Raises NotFound for the namespace."""
    found = next(_fitting(match.rules, match, attributes, server), None)
    if (
        found is None
        or any(_fitting(match.excluded, match, attributes, server))
        or not rules.any_labelled(match.object_selector, (attributes.object, attributes.old))
    ):
        return None
    if not match.namespace_selector.empty and not _namespace_selected(match, attributes, server):
        return None
    return found


def _fitting(chosen: Sequence[Tree], match: Match, attributes: AdmissionAttributes, server: Server) -> Iterator[Resource]:
    if not chosen:
        return
    if rules.fits(chosen, attributes, attributes.resource):
        yield attributes.resource
    if match.equivalent:
        for row in equivalents(attributes.resource, server):
            if rules.fits(chosen, attributes, row):
                yield row


def _namespace_selected(match: Match, attributes: AdmissionAttributes, server: Server) -> bool:
    """What is in no namespace is always selected; a Namespace is selected by its own labels."""
    row = attributes.resource
    changed = attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource
    if (row.group, row.plural) == ("", "namespaces") and changed:
        tree = attributes.object or {}
        return match.namespace_selector.matches((tree.get("metadata") or {}).get("labels"))
    if not attributes.namespace:
        return True
    return match.namespace_selector.matches(_labels_of(attributes.namespace, server))


def _labels_of(namespace: str, server: Server) -> Labels:
    found = server.stores.store_for(resource_of(Namespace)).cached(Key("", namespace))
    if found is None:
        raise not_found("namespaces", "", namespace)
    return found["metadata"].get("labels") or {}
