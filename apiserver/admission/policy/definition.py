"""Definition: policies and their bindings, parsed from their trees. Pure.

    validating(tree), mutating(tree) -> (the policy, what is wrong with its expressions)

What is stored was found right when it was written; a policy that does not compile all the same is kept with its errors, and its
failurePolicy says what becomes of requests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apiserver.admission.expression import match_conditions
from apiserver.admission.policy.compiler import STRING_OR_NULL, Compiler
from apiserver.admission.policy.patches import PATCH_TYPES, literal_type
from apiserver.cel import BOOL, STRING, Program
from apiserver.cel.libraries import MUTATION
from kube.api import names
from kube.api.labels import Selector, from_label_selector
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, too_many, unsupported

MOST_AUDIT_ANNOTATIONS = 20
REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
EVERYTHING = ({"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*", "*/*"]},)


@dataclass(frozen=True)
class Matching:
    """matchConstraints of a policy, matchResources of a binding: what matching/request.py asks for."""

    rules: tuple[Tree, ...]
    excluded: tuple[Tree, ...]
    namespace_selector: Selector
    object_selector: Selector
    equivalent: bool

    @classmethod
    def of(cls, tree: Tree | None, otherwise: Sequence[Tree]) -> "Matching":
        """`otherwise`: the rules where it has none."""
        tree = tree or {}
        return cls(
            rules=tuple(tree.get("resourceRules") or otherwise),
            excluded=tuple(tree.get("excludeResourceRules") or ()),
            namespace_selector=from_label_selector(tree.get("namespaceSelector") or {}),
            object_selector=from_label_selector(tree.get("objectSelector") or {}),
            equivalent=tree.get("matchPolicy") != "Exact",
        )


@dataclass(frozen=True)
class Validation:
    program: Program
    message: str
    message_program: Program | None
    reason: str  # of the refusal; empty: Invalid


@dataclass(frozen=True)
class Mutation:
    patch_type: str
    program: Program


@dataclass(frozen=True)
class Policy:
    """One policy of either kind; it has validations or mutations."""

    name: str
    matching: Matching
    ignores_failure: bool
    param_kind: tuple[str, str] | None  # apiVersion, kind
    conditions: tuple[tuple[str, Program], ...]
    variables: tuple[tuple[str, Program], ...]
    validations: tuple[Validation, ...] = ()
    audit_annotations: tuple[tuple[str, Program], ...] = ()
    mutations: tuple[Mutation, ...] = ()
    reinvoked: bool = False
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class Binding:
    name: str
    policy: str
    matching: Matching | None  # None: wherever the policy matches
    param_ref: Tree | None
    actions: tuple[str, ...] = field(default=())  # Deny, Warn, Audit


def binding(tree: Tree) -> Binding:
    spec = tree.get("spec") or {}
    match = spec.get("matchResources")
    return Binding(
        name=tree["metadata"]["name"],
        policy=spec.get("policyName") or "",
        matching=Matching.of(match, EVERYTHING) if match is not None else None,
        param_ref=spec.get("paramRef"),
        actions=tuple(spec.get("validationActions") or ()),
    )


def validating(tree: Tree) -> Policy:
    """A ValidatingAdmissionPolicy."""
    spec = tree.get("spec") or {}
    compiler = Compiler(spec)
    variables = compiler.variables(spec.get("variables"))
    validations = tuple(one for one in _validations(spec, compiler) if one is not None)
    annotations = tuple(_audit_annotations(tree, spec, compiler))
    return _policy(tree, spec, compiler, variables, validations=validations, audit_annotations=annotations)


def mutating(tree: Tree) -> Policy:
    """A MutatingAdmissionPolicy."""
    spec = tree.get("spec") or {}
    compiler = Compiler(spec, functions=MUTATION, objects=literal_type)
    variables = compiler.variables(spec.get("variables"))
    mutations = tuple(_mutations(spec, compiler))
    return _policy(tree, spec, compiler, variables, mutations=mutations)


def _policy(
    tree: Tree, spec: Tree, compiler: Compiler, variables: tuple[tuple[str, Program], ...], *,
    validations: tuple[Validation, ...] = (), audit_annotations: tuple[tuple[str, Program], ...] = (),
    mutations: tuple[Mutation, ...] = (),
) -> Policy:  # fmt: skip
    conditions = spec.get("matchConditions") or ()
    errors = [*compiler.errors, *match_conditions.errors(conditions, "spec.matchConditions", compiler.condition)]
    kind = spec.get("paramKind")
    return Policy(
        name=(tree.get("metadata") or {}).get("name") or "",
        matching=Matching.of(spec.get("matchConstraints"), ()),
        ignores_failure=spec.get("failurePolicy") == "Ignore",
        param_kind=(kind.get("apiVersion") or "", kind.get("kind") or "") if kind else None,
        conditions=() if errors else tuple((one["name"], compiler.condition(one["expression"].strip())) for one in conditions),
        variables=variables,
        validations=validations,
        audit_annotations=audit_annotations,
        mutations=mutations,
        reinvoked=spec.get("reinvocationPolicy") == "IfNeeded",
        errors=tuple(errors),
    )


def _validations(spec: Tree, compiler: Compiler) -> Iterator[Validation | None]:
    for index, one in enumerate(spec.get("validations") or ()):
        at = f"spec.validations[{index}]"
        expression, message = one.get("expression") or "", one.get("message") or ""
        program = compiler.program(expression, f"{at}.expression", (BOOL,)) if expression.strip() else None  # its kind says it
        told = None
        if "messageExpression" in one:
            told = compiler.program(one["messageExpression"], f"{at}.messageExpression", (STRING,), with_authorizer=False)
        compiler.errors += _message_errors(at, expression.strip(), message)
        reason = one.get("reason") or ""
        if reason and reason not in REASONS:
            compiler.errors.append(unsupported(f"{at}.reason", reason, REASONS))
        yield Validation(program, message.strip(), told, reason) if program is not None else None


def _message_errors(at: str, expression: str, message: str) -> Iterator[FieldError]:
    if message and not message.strip():
        yield invalid(f"{at}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        yield invalid(f"{at}.message", message, "message must not contain line breaks")
    elif not message and "\n" in expression:
        yield required(f"{at}.message", "message must be specified if expression contains line breaks")


def _audit_annotations(tree: Tree, spec: Tree, compiler: Compiler) -> Iterator[tuple[str, Program]]:
    annotations = spec.get("auditAnnotations") or ()
    if len(annotations) > MOST_AUDIT_ANNOTATIONS:
        compiler.errors.append(too_many("spec.auditAnnotations", len(annotations), MOST_AUDIT_ANNOTATIONS))
    name = (tree.get("metadata") or {}).get("name") or ""
    for index, one in enumerate(annotations):
        at = f"spec.auditAnnotations[{index}]"
        key = one.get("key") or ""
        if not key:
            compiler.errors.append(required(f"{at}.key"))
        elif name:
            compiler.errors += [invalid(f"{at}.key", key, text) for text in names.qualified(f"{name}/{key}")]
        program = compiler.program(one.get("valueExpression") or "", f"{at}.valueExpression", STRING_OR_NULL)
        if program is not None:
            yield key, program


def _mutations(spec: Tree, compiler: Compiler) -> Iterator[Mutation]:
    for index, one in enumerate(spec.get("mutations") or ()):
        at = f"spec.mutations[{index}]"
        kind = one.get("patchType") or ""
        if not kind:
            compiler.errors.append(required(f"{at}.patchType"))
            continue
        if kind not in PATCH_TYPES:
            compiler.errors.append(unsupported(f"{at}.patchType", kind, sorted(PATCH_TYPES)))
            continue
        patch = PATCH_TYPES[kind]
        compiler.errors += _other_patches(one, at, kind)
        written = one.get(patch.field)
        if written is None:
            compiler.errors.append(required(f"{at}.{patch.field}", f"must be specified when patchType is {kind}"))
            continue
        program = compiler.program(written.get("expression") or "", f"{at}.{patch.field}.expression", (patch.returns,))
        if program is not None:
            yield Mutation(kind, program)


def _other_patches(mutation: Tree, at: str, kind: str) -> Iterator[FieldError]:
    for other, patch in PATCH_TYPES.items():
        if other != kind and mutation.get(patch.field) is not None:
            yield forbidden(f"{at}.{patch.field}", f"must not be specified when patchType is {kind}")
