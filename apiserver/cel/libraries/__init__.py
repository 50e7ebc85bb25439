"""Libraries: the functions that expressions may call, one module a library, in the order of Kubernetes' documentation.

FUNCTIONS is what every expression has. MUTATION is what a MutatingAdmissionPolicy's expressions have beside it.
https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
"""

from apiserver.cel.functions import table
from apiserver.cel.libraries import (
    authorizer,
    cidr,
    conversions,
    formats,
    ip,
    json_patch,
    lists,
    maths,
    operators,
    optionals,
    quantity,
    regexes,
    semver,
    sets,
    strings,
    times,
    url,
)

LIBRARIES = (
    operators, conversions, times, strings, optionals, lists, regexes, url, authorizer, quantity, semver, formats, ip, cidr,
    sets, maths,
)  # fmt: skip

FUNCTIONS = table(overload for library in LIBRARIES for overload in library.OVERLOADS)
MUTATION = table(overload for library in (*LIBRARIES, json_patch) for overload in library.OVERLOADS)
