"""Admission policies and their bindings: expressions compile, parameters are named one way.

A policy whose spec is as it was is not looked at again: what the language allowed once stays.
kubernetes pkg/apis/admissionregistration/validation/validation.go
"""

from collections.abc import Iterator, Sequence

from apiserver.admission.policy import definition
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, required, unsupported

NOT_FOUND_ACTIONS = ("Allow", "Deny")


def validating(new: Tree, old: Tree | None) -> Sequence[FieldError]:
    return () if _same(new, old) else definition.validating(new).errors


def mutating(new: Tree, old: Tree | None) -> Sequence[FieldError]:
    return () if _same(new, old) else definition.mutating(new).errors


def binding(new: Tree, old: Tree | None) -> Iterator[FieldError]:
    reference = (new.get("spec") or {}).get("paramRef")
    if reference is None:
        return
    at = "spec.paramRef"
    if reference.get("name") and reference.get("selector") is not None:
        yield forbidden(f"{at}.name", "name and selector are mutually exclusive")
    if not reference.get("name") and reference.get("selector") is None:
        yield required(at, "one of name or selector must be specified")
    action = reference.get("parameterNotFoundAction")
    if not action:
        yield required(f"{at}.parameterNotFoundAction")
    elif action not in NOT_FOUND_ACTIONS:
        yield unsupported(f"{at}.parameterNotFoundAction", action, NOT_FOUND_ACTIONS)


def _same(new: Tree, old: Tree | None) -> bool:
    return old is not None and new.get("spec") == old.get("spec")
