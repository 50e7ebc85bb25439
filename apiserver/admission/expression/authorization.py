"""Authorization: the server's authorizer is asked what expressions want to know, between evaluations.

Evaluating is synchronous and pure; a check that has no answer yet ends it with Undecided. The question is asked, the answer kept,
and all is evaluated again: so an evaluation sees each answer once, and every expression of a request sees the same one.
"""

from collections.abc import Callable
from typing import TypeVar

from apiserver.admission.expression.activation import Answers
from apiserver.cel.libraries.authorizer import Answer, Question, Undecided
from apiserver.context import RequestInfo, Server, User
from kube.api import fields, labels
from kube.api.status import ApiError, Forbidden

T = TypeVar("T")


async def decided(evaluate: Callable[[], T], answers: Answers, user: User, server: Server) -> T:
    """What `evaluate` gives, once every question it has is answered. `user` is who sent the request."""
    while True:
        try:
            return evaluate()
        except Undecided as undecided:
            answers[undecided.question] = await _answer(undecided.question, user, server)


async def _answer(question: Question, user: User, server: Server) -> Answer:
    who = _service_account(question.user) if question.user else user
    try:
        info = _info(question)
    except ValueError as error:
        return Answer(False, error=str(error))
    try:
        await server.authorizer.authorize(who, info)
    except Forbidden as refusal:
        return Answer(False, reason=refusal.message)
    except ApiError as error:
        return Answer(False, error=error.message)
    return Answer(True)


def _service_account(named: str) -> User:
    namespace, _, name = named.partition(":")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)


def _info(question: Question) -> RequestInfo:
    """Raises ValueError for selectors that are none."""
    if question.path:
        return RequestInfo(question.verb, question.verb.upper(), question.path, {})
    if question.field_selector:
        fields.parse(question.field_selector)
    if question.label_selector:
        labels.parse(question.label_selector)
    return RequestInfo(
        verb=question.verb, method="", path="", query={}, is_resource=True, api_group=question.group, api_version="*",
        plural=question.resource, subresource=question.subresource, namespace=question.namespace, name=question.name,
    )  # fmt: skip
