"""JSON patch: jsonpatch.escapeKey, which makes a key a part of a JSON pointer. For MutatingAdmissionPolicy's expressions.

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#patch-type-json-patch
"""

from apiserver.cel.functions import Overload, function, traversal


def escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


OVERLOADS: tuple[Overload, ...] = (function("jsonpatch.escapeKey", "string -> string", escaped, traversal),)
