"""Authorizer: may the one who asks do this as well? `authorizer.group("apps").resource("deployments").check("create").allowed()`.

A check needs the server's authorizer, which is asynchronous, and evaluations are not: they raise Undecided for a question that
has no answer yet, whoever evaluates asks it, and evaluates again with the answer (admission/policy/authorization.py).
Fields and labels of `fieldSelector` and `labelSelector` are part of the question.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, replace

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, member
from kube.api import names

CHECK_COST = 350_000  # upstream's: an authorizer may be a webhook


@dataclass(frozen=True)
class Question:
    """Who may do what: a path, or a verb on a resource."""

    user: str = ""  # empty: who sent the request; else a service account, as namespace:name
    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""


@dataclass(frozen=True)
class Answer:
    type_name = "kubernetes.authorization.Decision"

    allowed: bool
    reason: str = ""
    error: str = ""


class Undecided(Exception):
    """No evaluation error: nothing absorbs it."""

    def __init__(self, question: Question) -> None:
        super().__init__("the authorizer has not been asked yet")
        self.question = question


@dataclass(frozen=True)
class Authorizer:
    type_name = "kubernetes.authorization.Authorizer"

    answers: MutableMapping[Question, Answer]
    user: str = ""


@dataclass(frozen=True)
class PathCheck:
    type_name = "kubernetes.authorization.PathCheck"

    authorizer: Authorizer
    path: str


@dataclass(frozen=True)
class GroupCheck:
    type_name = "kubernetes.authorization.GroupCheck"

    authorizer: Authorizer
    group: str


@dataclass(frozen=True)
class ResourceCheck:
    type_name = "kubernetes.authorization.ResourceCheck"

    authorizer: Authorizer
    question: Question


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    if not path:
        raise EvaluationError("path must not be empty")
    return PathCheck(authorizer, path)


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    for complaint in names.label(namespace):
        raise EvaluationError(f"Invalid service account namespace: {complaint}")
    for complaint in names.subdomain(name):
        raise EvaluationError(f"Invalid service account name: {complaint}")
    return replace(authorizer, user=f"{namespace}:{name}")


def _resource(check: GroupCheck, resource: str) -> ResourceCheck:
    return ResourceCheck(check.authorizer, Question(user=check.authorizer.user, group=check.group, resource=resource))


def _with(check: ResourceCheck, **parts: str) -> ResourceCheck:
    return replace(check, question=replace(check.question, **parts))


def _check(check: ResourceCheck, verb: str) -> Answer:
    return _answer(check.authorizer, replace(check.question, verb=verb))


def _check_path(check: PathCheck, verb: str) -> Answer:
    return _answer(check.authorizer, Question(user=check.authorizer.user, path=check.path, verb=verb))


def _answer(authorizer: Authorizer, question: Question) -> Answer:
    found = authorizer.answers.get(question)
    if found is None:
        raise Undecided(question)
    return found


def _costs_a_check(*_: object) -> int:
    return CHECK_COST


_A = "kubernetes.authorization"
OVERLOADS: tuple[Overload, ...] = (
    member("path", f"{_A}.Authorizer, string -> {_A}.PathCheck", _path),
    member("group", f"{_A}.Authorizer, string -> {_A}.GroupCheck", GroupCheck),
    member("serviceAccount", f"{_A}.Authorizer, string, string -> {_A}.Authorizer", _service_account),
    member("resource", f"{_A}.GroupCheck, string -> {_A}.ResourceCheck", _resource),
    member("subresource", f"{_A}.ResourceCheck, string -> {_A}.ResourceCheck", lambda check, text: _with(check, subresource=text)),
    member("namespace", f"{_A}.ResourceCheck, string -> {_A}.ResourceCheck", lambda check, text: _with(check, namespace=text)),
    member("name", f"{_A}.ResourceCheck, string -> {_A}.ResourceCheck", lambda check, text: _with(check, name=text)),
    member(
        "fieldSelector", f"{_A}.ResourceCheck, string -> {_A}.ResourceCheck", lambda check, text: _with(check, field_selector=text)
    ),
    member(
        "labelSelector", f"{_A}.ResourceCheck, string -> {_A}.ResourceCheck", lambda check, text: _with(check, label_selector=text)
    ),
    member("check", f"{_A}.ResourceCheck, string -> {_A}.Decision", _check, _costs_a_check),
    member("check", f"{_A}.PathCheck, string -> {_A}.Decision", _check_path, _costs_a_check),
    member("allowed", f"{_A}.Decision -> bool", lambda answer: answer.allowed),
    member("reason", f"{_A}.Decision -> string", lambda answer: answer.reason),
    member("errored", f"{_A}.Decision -> bool", lambda answer: bool(answer.error)),
    member("error", f"{_A}.Decision -> string", lambda answer: answer.error),
)
