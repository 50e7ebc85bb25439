"""Macros: calls that bind a name. The parser asks for each call whether it is one; a shape that does not fit is no macro.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros · cel-go ext/comprehensions.go (two variables), ext/bindings.go
"""

from apiserver.cel.lexer import SyntaxProblem
from apiserver.cel.syntax import Bind, Comprehension, Identifier, Node, Select

ONE_VARIABLE = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,), "map": (2, 3)}
TWO_VARIABLES = {
    "all": (3,), "exists": (3,), "existsOne": (3,), "exists_one": (3,),
    "transformList": (3, 4), "transformMap": (3, 4), "transformMapEntry": (3, 4),
}  # fmt: skip
SAME = {"existsOne": "exists_one"}


def function(at: int, name: str, arguments: tuple[Node, ...]) -> Node | None:
    """`has(a.b)`."""
    if name != "has" or len(arguments) != 1:
        return None
    argument = arguments[0]
    if not isinstance(argument, Select) or argument.test or argument.optional:
        raise SyntaxProblem(argument.at, "invalid argument to has() macro")
    return Select(at, argument.operand, argument.name, test=True)


def member(at: int, name: str, target: Node, arguments: tuple[Node, ...]) -> Node | None:
    """`list.all(x, ...)`, `optional.optMap(x, ...)`, `cel.bind(x, value, ...)`."""
    count = len(arguments)
    if name == "bind" and isinstance(target, Identifier) and target.name == "cel" and count == 3:
        return Bind(at, "bind", _variable(arguments[0], "cel.bind() variable names must be simple identifiers"), *arguments[1:])
    if name in ("optMap", "optFlatMap") and count == 2:
        return Bind(at, name, _variable(arguments[0], f"{name}() variable name must be a simple identifier"), target, arguments[1])
    if count in ONE_VARIABLE.get(name, ()):
        variable = _variable(arguments[0], "argument must be a simple name")
        return Comprehension(at, SAME.get(name, name), target, variable, "", arguments[1:])
    if count in TWO_VARIABLES.get(name, ()):
        first = _variable(arguments[0], "argument must be a simple name")
        second = _variable(arguments[1], "argument must be a simple name")
        if first == second:
            raise SyntaxProblem(arguments[1].at, f"duplicate variable name: {second}")
        return Comprehension(at, SAME.get(name, name), target, first, second, arguments[2:])
    return None


def _variable(node: Node, complaint: str) -> str:
    if not isinstance(node, Identifier):
        raise SyntaxProblem(node.at, complaint)
    return node.name
