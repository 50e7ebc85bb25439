"""Parser: tokens to nodes, by precedence: `?:`, `||`, `&&`, relations, sums, products, signs, then members and indexes.

Macros are recognised here (macros.py), where their shape is right; else they are calls like any other, which no function answers.
Nesting and chains are bounded, so that nothing later recurses deep.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax · cel-go parser/gen/CEL.g4
"""

from apiserver.cel import macros
from apiserver.cel.errors import CompileError
from apiserver.cel.lexer import END, SyntaxProblem, Token, in_bounds, tokens
from apiserver.cel.syntax import Call, Entry, FieldEntry, Identifier, ListLiteral, Literal, Logic, MapLiteral, Node, Select, Struct

DEEPEST = 60  # of parentheses, calls and literals in one another; cel-go allows 250 levels of its finer-grained grammar
LONGEST_CHAIN = 100  # of operators or members in a row that nest: a + b + c, a.b.c
LARGEST = 100_000  # code points, as cel-go has it

OPERAND = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
RESERVED = frozenset(
    (
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace",
        "return", "var", "void", "while",
    )
)  # fmt: skip
LITERALS = {"true": True, "false": False, "null": None}
LEVELS = (("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
OPERATORS = {sign: f"_{sign}_" for level in LEVELS for sign in level} | {"in": "@in"}


def parse(source: str) -> Node:
    """Raises CompileError."""
    try:
        if len(source) > LARGEST:
            raise SyntaxProblem(0, f"expression code point size exceeds limit: size: {len(source)}, limit {LARGEST}")
        return _Parser(tokens(source)).whole()
    except SyntaxProblem as problem:
        raise CompileError(source, [problem.issue]) from None


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self.expression()
        if self._token.kind != "end":
            raise SyntaxProblem(self._token.at, f"Syntax error: extraneous input '{self._token.text}' expecting {END}")
        return node

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SyntaxProblem(self._token.at, f"expression recursion limit exceeded: {DEEPEST}")
        node = self._logic("||")
        if question := self._take("?"):
            chosen = self._logic("||")
            self._need(":")
            node = Call(question.at, "_?_:_", None, (node, chosen, self.expression()))
        self._depth -= 1
        return node

    def _logic(self, sign: str) -> Node:
        terms = [self._and_or_relation(sign)]
        places = []
        while token := self._take(sign):
            places.append(token.at)
            terms.append(self._and_or_relation(sign))
        return Logic(places[0], f"_{sign}_", tuple(terms), tuple(places)) if places else terms[0]

    def _and_or_relation(self, sign: str) -> Node:
        return self._logic("&&") if sign == "||" else self._binary(0)

    def _binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        for _ in range(LONGEST_CHAIN):
            token = self._token
            if token.text not in LEVELS[level] or token.kind not in ("sign", "name"):
                return node
            self._next += 1
            node = Call(token.at, OPERATORS[token.text], None, (node, self._binary(level + 1)))
        raise SyntaxProblem(self._token.at, f"expression recursion limit exceeded: {LONGEST_CHAIN}")

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._token.kind == "sign" and self._token.text in ("!", "-") and (not signs or signs[0].text == self._token.text):
            signs.append(self._token)
            self._next += 1
        if signs and signs[-1].text == "-" and self._token.kind == "literal" and isinstance(self._token.value, int | float):
            first = signs.pop()
            literal = self._advance()
            node = self._members(Literal(first.at, self._signed(literal, first.at)))
        else:
            node = self._members(self._primary())
        if len(signs) % 2:
            return Call(signs[0].at, "!_" if signs[0].text == "!" else "-_", None, (node,))
        return node

    def _signed(self, literal: Token, at: int) -> int | float:
        if isinstance(literal.value, float):
            return -literal.value
        return in_bounds(-literal.value if type(literal.value) is int else literal.value, at)

    def _members(self, node: Node) -> Node:
        for _ in range(LONGEST_CHAIN):
            if dot := self._take("."):
                node = self._member(node, dot)
            elif bracket := self._take("["):
                optional = self._take("?") is not None
                node = Call(bracket.at, "_[?_]" if optional else "_[_]", None, (node, self.expression()))
                self._need("]")
            elif self._token.text == "{" and (name := _struct_name(node)):
                node = self._struct(name)
            else:
                return node
        raise SyntaxProblem(self._token.at, f"expression recursion limit exceeded: {LONGEST_CHAIN}")

    def _member(self, node: Node, dot: Token) -> Node:
        optional = self._take("?") is not None
        token = self._advance()
        if token.kind == "quoted":
            return Select(dot.at, node, token.value, optional=optional)
        if token.kind != "name" or token.text in LITERALS or token.text == "in":
            raise SyntaxProblem(token.at, f"Syntax error: no viable alternative at input '.{token.text}'")
        parenthesis = None if optional else self._take("(")
        if parenthesis is None:
            return Select(dot.at, node, token.text, optional=optional)
        arguments = self._items(")")
        return macros.member(parenthesis.at, token.text, node, arguments) or Call(parenthesis.at, token.text, node, arguments)

    def _primary(self) -> Node:
        token = self._advance()
        if token.kind == "literal":
            number = type(token.value) in (int,) or type(token.value).__name__ == "Uint"
            return Literal(token.at, in_bounds(token.value, token.at) if number else token.value)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            node = self.expression()
            self._need(")")
            return node
        if token.text == "[":
            return self._list(token.at)
        if token.text == "{":
            return self._map(token.at)
        if token.text == "." and self._token.kind == "name":
            return self._named(self._advance())
        if token.kind == "end":
            raise SyntaxProblem(token.at, f"Syntax error: mismatched input '{END}' expecting {OPERAND}")
        raise SyntaxProblem(token.at, f"Syntax error: extraneous input '{token.text}' expecting {OPERAND}")

    def _named(self, token: Token) -> Node:
        if token.text in LITERALS:
            return Literal(token.at, LITERALS[token.text])
        if token.text in RESERVED or token.text == "in":
            raise SyntaxProblem(token.at, f"reserved identifier: {token.text}")
        parenthesis = self._take("(")
        if parenthesis is None:
            return Identifier(token.at, token.text)
        arguments = self._items(")")
        return macros.function(parenthesis.at, token.text, arguments) or Call(parenthesis.at, token.text, None, arguments)

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self._take(end) is None:
            items.append(self.expression())
            while self._take(","):
                items.append(self.expression())
            self._need(end)
        return tuple(items)

    def _list(self, at: int) -> Node:
        items: list[Node] = []
        optional: set[int] = set()
        while self._token.text != "]":
            if self._take("?"):
                optional.add(len(items))
            items.append(self.expression())
            if self._take(",") is None:
                break
        self._need("]")
        return ListLiteral(at, tuple(items), frozenset(optional))

    def _map(self, at: int) -> Node:
        entries: list[Entry] = []
        while self._token.text != "}":
            optional = self._take("?") is not None
            key = self.expression()
            colon = self._need(":")
            entries.append(Entry(colon.at, key, self.expression(), optional))
            if self._take(",") is None:
                break
        self._need("}")
        return MapLiteral(at, tuple(entries))

    def _struct(self, name: str) -> Node:
        at = self._need("{").at
        fields: list[FieldEntry] = []
        while self._token.text != "}":
            optional = self._take("?") is not None
            token = self._advance()
            if token.kind not in ("name", "quoted"):
                raise SyntaxProblem(token.at, f"Syntax error: mismatched input '{token.text}' expecting {{'}}', ',', IDENTIFIER}}")
            colon = self._need(":")
            fields.append(FieldEntry(colon.at, token.value or token.text, self.expression(), optional))
            if self._take(",") is None:
                break
        self._need("}")
        return Struct(at, name, tuple(fields))

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._next += 1
        return token

    def _take(self, sign: str) -> Token | None:
        token = self._token
        if token.kind != "sign" or token.text != sign:
            return None
        self._next += 1
        return token

    def _need(self, sign: str) -> Token:
        token = self._take(sign)
        if token is None:
            verb = "missing" if self._token.kind == "end" and sign not in ")]}" else "mismatched input"
            raise SyntaxProblem(self._token.at, f"Syntax error: {verb} '{self._token.text}' expecting '{sign}'")
        return token


def _struct_name(node: Node) -> str:
    """`Object.spec` where the node is a name of a type; else empty."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.test and not node.optional:
        parts.append(node.name)
        node = node.operand
    if not isinstance(node, Identifier):
        return ""
    return ".".join([node.name, *reversed(parts)])
