"""CEL: the Common Expression Language as Kubernetes uses it — compiled and type-checked once, evaluated often, never for long.

    program = compile("self.replicas <= self.max", {"self": schema.declared(openapi_schema)}, returns=(BOOL,))
    program.evaluate({"self": tree}) -> True

**Compile.** `compile(expression, variables, returns=..., cost_limit=..., objects=...)` raises CompileError, whose text is cel-go's
(`ERROR: <input>:1:5: undefined field 'x'\\n | self.x\\n | ....^`); Kubernetes' API errors put `compilation failed: ` before it.
`variables` says the type of each name: one of the types of types.py (DYN, BOOL, STRING, list_of(...)), or what
`schema.declared(tree)` makes of a structural schema. `returns` is the types the result may have, exactly: dyn is not bool,
as upstream has it (WrongResult: `must evaluate to bool`). A Program tells its `result` type, whether it `uses("oldSelf")`,
and its `estimated_cost` (estimate.py).

**Evaluate.** `Program.evaluate(activation, budget=None)` takes plain JSON values, which are read where they are, never copied, and
gives plain Python values: bool, int, float, str, bytes, list, dict, None, and the classes of values.py (Uint, Timestamp, Duration,
Optional; an `optionalOldSelf` is handed in as Optional). It raises EvaluationError (`no such key: x`, `no such overload`,
`division by zero`). A `Budget` is shared by the expressions of one request: each adds what it cost.

**Limits.** An expression's cost is counted in cel-go's units as it is evaluated; beyond PER_CALL_LIMIT (or `cost_limit`, or the
budget) it ends with CostExceeded. Regular expressions are RE2's, so their time is linear too. Nesting is bounded by the parser.

Inside, one step a file: lexer → parser (macros) → checker → planner, over the nodes of syntax.py; the functions are rows of
libraries/. Why not a package: docs/decisions/0010-cel.md. Everything here is pure: no I/O, no asyncio.
https://github.com/google/cel-spec/blob/master/doc/langdef.md · https://kubernetes.io/docs/reference/using-api/cel/
"""

from apiserver.cel import schema
from apiserver.cel.errors import CompileError, CostExceeded, EvaluationError
from apiserver.cel.program import BUDGET, PER_CALL_LIMIT, Budget, Program, WrongResult, compile
from apiserver.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, Declared, list_of, map_of, optional_of
from apiserver.cel.values import NONE, Optional

__all__ = [
    "BOOL", "BUDGET", "BYTES", "DOUBLE", "DURATION", "DYN", "INT", "NONE", "PER_CALL_LIMIT", "STRING", "TIMESTAMP", "Budget",
    "CompileError", "CostExceeded", "Declared", "EvaluationError", "Optional", "Program", "WrongResult", "compile", "list_of",
    "map_of", "optional_of", "schema",
]  # fmt: skip
