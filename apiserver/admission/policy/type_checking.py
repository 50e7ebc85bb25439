"""Type checking: what the kinds that a policy's rules name have to say of its expressions, as warnings in its status.

A policy's objects are dyn, since it may match any kind; so a misspelt field is found when it is evaluated. For the kinds that its
rules name outright, its expressions are compiled again with the kind's own fields, and what that finds goes into
status.typeChecking. Upstream's controller manager does that some time after the write; here the API server does it within the
write, where the schemas are: programs do not import each other, and nothing has to watch policies for it (our choice).
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
apiserver pkg/admission/plugin/policy/validating/typechecking.go
"""

from collections.abc import Iterator
from functools import lru_cache

from apiserver.admission.policy.compiler import Compiler
from apiserver.cel import BOOL, DYN, STRING, CompileError
from apiserver.cel.builtin import declared
from apiserver.cel.types import NULL, Type
from apiserver.context import Release, Server
from kube.api.definitions import of
from kube.api.meta import Tree
from kube.api.resource import Resource

MOST_TYPES = 10


async def check_on_write(server: Server, new: Tree, old: Tree | None, dry_run: bool) -> Release | None:
    """Before a policy is stored: its status says what was found in this generation of it."""
    generation = new["metadata"].get("generation")
    status = new.setdefault("status", {})
    if status.get("observedGeneration") == generation and "typeChecking" in status:
        return None
    warnings = found(new.get("spec") or {}, server.routes.rows())
    status["observedGeneration"] = generation
    status["typeChecking"] = {"expressionWarnings": warnings} if warnings else {}
    return None


def found(spec: Tree, rows: tuple[Resource, ...]) -> list[Tree]:
    """The warnings, in the order of the expressions. Pure."""
    kinds = _matched(spec, rows)
    params = _params(spec, rows)
    return [
        {"fieldRef": path, "warning": "\n".join(problems)}
        for path, expression, returns in _expressions(spec)
        if (problems := [text for row in kinds if (text := _problem(spec, row, params, expression, returns))])
    ]


def _matched(spec: Tree, rows: tuple[Resource, ...]) -> list[Resource]:
    """The kinds that rules name without a wildcard."""
    chosen: list[Resource] = []
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        for row in rows:
            names = (row.group in (rule.get("apiGroups") or ()), row.version in (rule.get("apiVersions") or ()))
            if all(names) and row.plural in (rule.get("resources") or ()) and row not in chosen:
                chosen.append(row)
    return sorted(chosen, key=lambda row: (row.group, row.version, row.kind))[:MOST_TYPES]


def _params(spec: Tree, rows: tuple[Resource, ...]) -> Type:
    kind = spec.get("paramKind") or {}
    row = next((one for one in rows if (one.api_version, one.kind) == (kind.get("apiVersion"), kind.get("kind"))), None)
    return _type_of(row) if row is not None else DYN


def _expressions(spec: Tree) -> Iterator[tuple[str, str, tuple[Type, ...]]]:
    for index, one in enumerate(spec.get("validations") or ()):
        yield f"spec.validations[{index}].expression", one.get("expression") or "", (BOOL,)
        if one.get("messageExpression"):
            yield f"spec.validations[{index}].messageExpression", one["messageExpression"], (STRING,)
    for index, one in enumerate(spec.get("auditAnnotations") or ()):
        yield f"spec.auditAnnotations[{index}].valueExpression", one.get("valueExpression") or "", (STRING, NULL)


def _problem(spec: Tree, row: Resource, params: Type, expression: str, returns: tuple[Type, ...]) -> str:
    """What is wrong with the expression where the object is of this kind; empty: nothing."""
    compiler = Compiler(spec, object_type=_type_of(row), params_type=params)
    compiler.variables(spec.get("variables"))
    try:
        compiler.compile(expression.strip(), returns)
    except CompileError as error:
        return f"{row.api_version}, Kind={row.kind}: {error}"
    return ""


@lru_cache(maxsize=256)
def _type_of(row: Resource) -> Type:
    definition = of(row)
    return DYN if definition is None else declared(definition, row.kind)
