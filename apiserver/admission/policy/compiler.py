"""Compiler: a policy's expressions, one after the other, each in the environment that it has; mistakes are field errors.

A variable is known to those after it, to all other expressions, and not to match conditions. A messageExpression does not know the
authorizer. kubernetes pkg/apis/admissionregistration/validation/validation.go
"""

import re
from collections.abc import Callable, Sequence

from apiserver.admission.expression import environment
from apiserver.admission.expression.environment import complaint
from apiserver.cel import BOOL, DYN, STRING, CompileError, Program
from apiserver.cel.functions import Functions
from apiserver.cel.libraries import FUNCTIONS
from apiserver.cel.types import NULL, Type
from kube.api.meta import Tree
from kube.api.status import FieldError, duplicate, invalid, required

IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
STRING_OR_NULL = (STRING, NULL)

Objects = Callable[[str], Type | None]


class Compiler:
    """Of one policy. `errors` has what is wrong with what was compiled so far."""

    def __init__(
        self, spec: Tree, *, functions: Functions = FUNCTIONS, objects: Objects | None = None, object_type: Type = DYN,
        params_type: Type = DYN,
    ) -> None:  # fmt: skip
        self._has_params = spec.get("paramKind") is not None
        self._functions = functions
        self._objects = objects
        self._object_type = object_type
        self._params_type = params_type
        self._own: dict[str, Type] = {}
        self.errors: list[FieldError] = []

    def variables(self, variables: Sequence[Tree] | None) -> tuple[tuple[str, Program], ...]:
        found: list[tuple[str, Program]] = []
        for index, one in enumerate(variables or ()):
            at = f"spec.variables[{index}]"
            name = one.get("name") or ""
            self._check_name(name, f"{at}.name")
            program = self.program(one.get("expression") or "", f"{at}.expression", None)
            if program is not None and name:
                found.append((name, program))
                self._own[name] = program.result
        return tuple(found)

    def _check_name(self, name: str, at: str) -> None:
        if not name:
            self.errors.append(required(at, "name is not specified"))
        elif IDENTIFIER.fullmatch(name) is None:
            self.errors.append(invalid(at, name, "name is not a valid CEL identifier"))
        elif name in self._own:
            self.errors.append(duplicate(at, name))

    def program(
        self, expression: str, at: str, returns: Sequence[Type] | None, *, with_authorizer: bool = True
    ) -> Program | None:  # fmt: skip
        """The expression at a path; None where it is wrong."""
        text = expression.strip()
        if not text:
            self.errors.append(required(at, "expression is not specified"))
            return None
        try:
            return self.compile(text, returns, with_authorizer=with_authorizer)
        except CompileError as error:
            self.errors.append(invalid(at, text, complaint(error)))
            return None

    def compile(self, expression: str, returns: Sequence[Type] | None, *, with_authorizer: bool = True) -> Program:
        """Raises CompileError."""
        declared = environment.variables(
            params=self._has_params, own=self._own, object_type=self._object_type, params_type=self._params_type,
            with_authorizer=with_authorizer,
        )  # fmt: skip
        return environment.compiled(expression, declared, returns, self._functions, self._objects)

    def condition(self, expression: str) -> Program:
        """A match condition. Raises CompileError."""
        declared = environment.variables(params=self._has_params, object_type=self._object_type, params_type=self._params_type)
        return environment.compiled(expression, declared, (BOOL,))
