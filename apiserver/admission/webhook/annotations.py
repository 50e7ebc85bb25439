"""Annotations: what the audit log is told of webhooks — their own words, whether they changed something, whose failure was ignored.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#mutating-webhook-auditing-annotations
"""

import orjson

from apiserver.admission.webhook.hooks import Hook
from apiserver.admission.webhook.review import Verdict
from apiserver.context import AdmissionAttributes

MUTATION = "mutation.webhook.admission.k8s.io"
FAILED_OPEN = "failed-open.{}.webhook.admission.k8s.io"  # mutating, validating


def note_own(hook: Hook, attributes: AdmissionAttributes, found: Verdict) -> None:
    """The webhook's own."""
    for key, value in found.annotations.items():
        _note(attributes, f"{hook.name}/{key}", str(value))


def note_mutation(hook: Hook, attributes: AdmissionAttributes, index: int, *, mutated: bool) -> None:
    told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": mutated}
    _note(attributes, f"{MUTATION}/{_place(attributes, index)}", orjson.dumps(told).decode())


def note_failed_open(hook: Hook, attributes: AdmissionAttributes, index: int, kind: str) -> None:
    """`kind`: mutating or validating."""
    _note(attributes, f"{FAILED_OPEN.format(kind)}/{_place(attributes, index)}", hook.name)


def _place(attributes: AdmissionAttributes, index: int) -> str:
    return f"round_{int(attributes.reinvocation == 'again')}_index_{index}"


def _note(attributes: AdmissionAttributes, key: str, value: str) -> None:
    if attributes.request.audit is not None:
        attributes.request.audit.annotate(key, value)
