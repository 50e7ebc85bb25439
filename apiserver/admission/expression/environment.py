"""Environment: the variables of admission expressions and their types, and compiling in it.

    object, oldObject   dyn; null where there is none
    request             the AdmissionRequest without the objects
    namespaceObject     the request's Namespace, what of it is no secret; null where there is none
    params              dyn; with a paramKind only
    variables           the policy's own, as far as they are declared before
    authorizer, authorizer.requestResource

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-expression
apiserver pkg/admission/plugin/cel/compile.go
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from apiserver.cel import BOOL, DYN, INT, STRING, CompileError, Declared, Program, WrongResult, compile, list_of, map_of, schema
from apiserver.cel.functions import Functions
from apiserver.cel.libraries import FUNCTIONS, authorizer
from apiserver.cel.types import TIMESTAMP, Field, Type, object_of, opaque

STRING_MAP = map_of(STRING, STRING)


def _object(type_name: str, /, **fields: Type) -> Type:
    return object_of(type_name, {key: Field(kind, key) for key, kind in fields.items()} | _escaped(fields))


def _escaped(fields: Mapping[str, Type]) -> dict[str, Field]:
    """A field named as a word of the language is written otherwise: `metadata.__namespace__`."""
    seen = ((schema.escape(key), key, kind) for key, kind in fields.items())
    return {escaped: Field(kind, key) for escaped, key, kind in seen if escaped and escaped != key}


KIND = _object("kubernetes.GroupVersionKind", group=STRING, version=STRING, kind=STRING)
RESOURCE = _object("kubernetes.GroupVersionResource", group=STRING, version=STRING, resource=STRING)
USER = _object("kubernetes.UserInfo", username=STRING, uid=STRING, groups=list_of(STRING), extra=map_of(STRING, list_of(STRING)))
REQUEST = _object(
    "kubernetes.AdmissionRequest", kind=KIND, resource=RESOURCE, subResource=STRING, requestKind=KIND, requestResource=RESOURCE,
    requestSubResource=STRING, name=STRING, namespace=STRING, operation=STRING, userInfo=USER, dryRun=BOOL, options=DYN,
)  # fmt: skip
_METADATA = _object(
    "kubernetes.NamespaceMetadata", name=STRING, generateName=STRING, namespace=STRING, labels=STRING_MAP, annotations=STRING_MAP,
    UID=STRING, creationTimestamp=TIMESTAMP, deletionGracePeriodSeconds=INT, deletionTimestamp=TIMESTAMP, generation=INT,
    resourceVersion=STRING, finalizers=list_of(STRING),
)  # fmt: skip
NAMESPACE = _object(
    "kubernetes.Namespace",
    metadata=_METADATA,
    spec=_object("kubernetes.NamespaceSpec", finalizers=list_of(STRING)),
    status=_object("kubernetes.NamespaceStatus", phase=STRING),
)
AUTHORIZER = opaque(authorizer.Authorizer.type_name)
RESOURCE_CHECK = opaque(authorizer.ResourceCheck.type_name)
VARIABLES = "kubernetes.variables"

REQUEST_RESOURCE = "authorizer.requestResource"


def variables(
    *, params: bool = False, own: Mapping[str, Type] | None = None, object_type: Type = DYN, params_type: Type = DYN,
    with_authorizer: bool = True,
) -> dict[str, Declared]:  # fmt: skip
    """What an expression may name. `own`: the policy's variables that come before it, with their types; None: it has none."""
    declared: dict[str, Declared] = {
        "object": object_type,
        "oldObject": object_type,
        "request": REQUEST,
        "namespaceObject": NAMESPACE,
    }
    if params:
        declared["params"] = params_type
    if own is not None:
        declared["variables"] = object_of(VARIABLES, {name: Field(kind, name) for name, kind in own.items()})
    if with_authorizer:
        declared["authorizer"] = AUTHORIZER
        declared[REQUEST_RESOURCE] = RESOURCE_CHECK
    return declared


def compiled(
    expression: str, declared: Mapping[str, Declared], returns: Sequence[Type] | None, functions: Functions = FUNCTIONS,
    objects: Callable[[str], Type | None] | None = None,
) -> Program:  # fmt: skip
    """The program. Raises CompileError."""
    if objects is None:
        return compile(expression, declared, returns=returns, functions=functions)
    return compile(expression, declared, returns=returns, functions=functions, objects=objects)


def complaint(error: CompileError) -> str:
    """As a field error tells it."""
    return str(error) if isinstance(error, WrongResult) else f"compilation failed: {error}"


@lru_cache(maxsize=1024)
def condition(expression: str) -> Program:
    """A match condition of a webhook, which knows neither parameters nor variables."""
    return compiled(expression, variables(), (BOOL,))
