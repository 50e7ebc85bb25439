"""MutatingAdmissionWebhook: webhooks that change objects — one after another, each sees what those before it made of the object.

After each change the defaults are set anew. Where a webhook changed something, the whole mutating chain runs once more, and in that
second round those webhooks are asked again that want it (reinvocationPolicy IfNeeded) and came before the change; those whose
object the rest of the chain changed meanwhile as well. There is no third round.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
apiserver pkg/admission/plugin/webhook/mutating/dispatcher.go
"""

from dataclasses import dataclass, field

import orjson

from apiserver import zero_values
from apiserver.admission.matching.request import is_exempt
from apiserver.admission.matching.versions import converted
from apiserver.admission.webhook import annotations, calling
from apiserver.admission.webhook.calling import ADMIT
from apiserver.admission.webhook.denial import Uncallable, internal
from apiserver.admission.webhook.hooks import Hook, Hooks
from apiserver.admission.webhook.review import Objects, Verdict
from apiserver.context import AdmissionAttributes, Server
from apiserver.handlers.body import of_another_kind
from kube.api import schema
from kube.api.meta import Tree
from kube.api.patch import json_patch
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError, InternalError, go_quoted
from kube.api.types import MutatingWebhookConfiguration
from kube.component.logging import get_logger

log = get_logger(__name__)

NOTES = "mutating webhooks"  # the key of the rounds in AdmissionAttributes.notes


@dataclass
class Rounds:
    """What the first round leaves to the second."""

    invoked: set[str] = field(default_factory=set)  # webhooks that want to see later changes, since the last change
    again: set[str] = field(default_factory=set)  # to be asked again
    left: bytes = b""  # the object as the webhooks left it

    def changed(self) -> None:
        """The object is another than those saw who were asked before."""
        self.again |= self.invoked
        self.invoked = set()


class MutatingWebhook:
    name = "MutatingAdmissionWebhook"

    def __init__(self) -> None:
        self._hooks = Hooks(resource_of(MutatingWebhookConfiguration))

    def idle(self, server: Server) -> bool:
        return not self._hooks.current(server)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        hooks = self._hooks.current(server)
        if not hooks or is_exempt(attributes):
            return
        rounds: Rounds = attributes.notes.setdefault(NOTES, Rounds())
        second = attributes.reinvocation == "again"
        if second and rounds.left != orjson.dumps(attributes.object):
            rounds.changed()
        for index, hook in enumerate(hooks):
            if second and hook.uid not in rounds.again:
                continue
            row = await calling.row_for(hook, attributes, server)
            if row is None:
                continue
            if await _asked(hook, attributes, row, server, index):
                rounds.changed()
                if not second:
                    attributes.reinvocation = "wanted"
            if hook.reinvoked:
                rounds.invoked.add(hook.uid)
        rounds.left = orjson.dumps(attributes.object)


async def _asked(hook: Hook, attributes: AdmissionAttributes, row: Resource, server: Server, index: int) -> bool:
    """Whether the webhook changed the object. Raises what refuses the request."""
    try:
        found, objects = await calling.ask(hook, attributes, row, server, ADMIT)
        mutated = await _changed(hook, attributes, found, objects, server)
    except Uncallable as error:
        if not hook.ignores_failure:
            raise internal(str(error)) from None
        log.warning("failed calling webhook, failing open", webhook=hook.name, reason=error)
        annotations.note_mutating_failed_open(hook, attributes, index)
        return False
    annotations.note_mutation(hook, attributes, index, found, mutated=mutated)
    return mutated


async def _changed(hook: Hook, attributes: AdmissionAttributes, found: Verdict, objects: Objects, server: Server) -> bool:
    """Apply the webhook's patch to the object in place; whether that made it another one."""
    if found.broken:
        raise internal(found.broken)
    if not found.operations:
        return False
    if found.patch_type not in ("", "JSONPatch"):
        raise Uncallable(hook.name, f"unsupported patch type {go_quoted(found.patch_type)}")
    try:
        new = patched(hook.name, objects, found)
    except InternalError as error:
        calling.count_internal_error(hook, attributes, ADMIT, error)
        raise
    if new == objects.object:
        return False
    tree = await converted(new, objects.row, attributes.resource, server)
    assert attributes.object is not None, "what was patched is there"
    assert tree is not None, "what is converted is there"
    attributes.object.clear()
    attributes.object.update(tree)
    return True


def patched(name: str, objects: Objects, found: Verdict) -> Tree:
    """The object after the patch: what its kind does not know is gone, and its defaults are set. Pure."""
    if objects.object is None:
        text = f'admission webhook "{name}" attempted to modify the object, which is not supported for this operation'
        raise internal(text)
    try:
        tree = json_patch.apply(objects.object, found.operations)
    except json_patch.Unfit as error:
        raise internal(error.why) from None
    except ApiError as error:
        raise internal(error.message) from None
    if not isinstance(tree, dict):
        raise internal("the patched object is no JSON object")
    row = objects.row
    if objects.object.get("kind") != row.kind:
        return tree  # a subresource's own kind
    other = of_another_kind(tree, row)
    if other:
        raise internal(other)
    wrong = schema.problems(row, tree).wrong_types  # drops what is unknown
    if wrong:
        raise internal(wrong[0])
    zero_values.drop(row, tree)
    row.set_defaults(tree)
    return tree
