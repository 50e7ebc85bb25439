"""Webhook configurations: their match conditions compile. Those that were there before are not looked at again.

kubernetes pkg/apis/admissionregistration/validation/validation.go
"""

from collections.abc import Iterator

from apiserver.admission.expression import match_conditions
from kube.api.meta import Tree
from kube.api.status import FieldError


def errors(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    before = [one.get("matchConditions") for one in (old or {}).get("webhooks") or ()]
    for index, webhook in enumerate(new.get("webhooks") or ()):
        conditions = webhook.get("matchConditions")
        if conditions not in before:
            yield from match_conditions.errors(conditions, f"webhooks[{index}].matchConditions")
