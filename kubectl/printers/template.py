"""Go templates: the part of text/template that people use with `-o go-template`.

Fields, variables, pipelines, parentheses; if, else, range, with, break, continue; the functions of FUNCTIONS. A missing key prints
`<no value>`. `define` and `template` are refused.
https://pkg.go.dev/text/template
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubectl.printers import gotext
from kubectl.printers.template_functions import FUNCTIONS, TemplateError, truth

MISSING = object()  # what a key that is not there gives


@dataclass(frozen=True)
class Block:
    """`if`, `range` or `with`: a pipeline, the body, and what follows `else`."""

    word: str
    pipe: str
    body: list[Any] = field(default_factory=list)
    otherwise: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Action:
    pipe: str


class Break(Exception):
    """{{break}}"""


class Continue(Exception):
    """{{continue}}"""


ACTION = re.compile(r"\{\{(-(?=\s))?(.*?)((?<=\s)-)?\}\}", re.DOTALL)
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<char>'(?:[^'\\]|\\.)')|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<op>:=|[|()=,])|(?P<path>\$?[\w.]*\.[\w.]*|\$\w*)|(?P<word>\w+))""",
    re.VERBOSE,
)
CHAIN = re.compile(r"(?:\.\w+)+")


def render(template: str, data: Any) -> str:
    """The template's text for one object. Raises TemplateError."""
    tokens = list(_split(template))
    nodes, rest = _parse(tokens, 0)
    if rest < len(tokens):
        raise TemplateError("unexpected {{end}}")
    try:
        return "".join(Run(data).nodes(nodes, data))
    except (Break, Continue) as outside:
        raise TemplateError(f"{outside.__doc__} outside {{{{range}}}}") from outside


def _split(template: str) -> Iterator[str | Action]:
    """Text and actions, white space trimmed where an action asks for it."""
    at, trim = 0, False
    for found in ACTION.finditer(template):
        text = template[at : found.start()]
        text = text.lstrip() if trim else text
        text = text.rstrip() if found.group(1) else text
        if text:
            yield text
        inside = found.group(2).strip()
        if not inside.startswith("/*"):
            yield Action(inside)
        at, trim = found.end(), bool(found.group(3))
    rest = template[at:]
    if "{{" in rest:
        raise TemplateError("unclosed action")
    yield rest.lstrip() if trim else rest


def _parse(tokens: list[Any], at: int, *, nested: bool = False) -> tuple[list[Any], int]:
    """Nodes up to the end, or up to an {{end}} or {{else}} that closes the block around them."""
    nodes: list[Any] = []
    while at < len(tokens):
        token = tokens[at]
        word = _keyword(token)
        if word in ("end", "else"):
            return nodes, at
        at += 1
        if word in ("if", "range", "with"):
            block, at = _block(tokens, at, word, token.pipe[len(word) :].strip())
            nodes.append(block)
        elif word in ("define", "template", "block"):
            raise TemplateError(f"{{{{{word}}}}} is not supported")
        else:
            nodes.append(token)
    if nested:
        raise TemplateError("unexpected EOF")
    return nodes, at


def _keyword(token: str | Action) -> str:
    """The word that an action begins with; what follows it needs no space (`{{range.items}}`)."""
    found = re.match(r"\w+", token.pipe) if isinstance(token, Action) else None
    return found.group() if found else ""


def _block(tokens: list[Any], at: int, word: str, pipe: str) -> tuple[Block, int]:
    body, at = _parse(tokens, at, nested=True)
    otherwise: list[Any] = []
    closing = tokens[at].pipe
    if closing.startswith("else"):
        rest = closing[4:].strip()
        if rest.startswith(("if ", "with ")):
            inner_word, _, inner = rest.partition(" ")
            chained, at = _block(tokens, at + 1, inner_word, inner.strip())
            return Block(word, pipe, body, [chained]), at
        otherwise, at = _parse(tokens, at + 1, nested=True)
    return Block(word, pipe, body, otherwise), at + 1


class Run:
    """One evaluation: the object, and the variables in scope."""

    def __init__(self, data: Any) -> None:
        self.variables: dict[str, Any] = {"$": data}

    def nodes(self, nodes: list[Any], dot: Any) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif isinstance(node, Block):
                yield from self._block(node, dot)
            elif node.pipe == "break":
                raise Break
            elif node.pipe == "continue":
                raise Continue
            else:
                value = self.pipe(node.pipe, dot)
                if value is not None:
                    yield shown(value[0])

    def _block(self, block: Block, dot: Any) -> Iterator[str]:
        saved = dict(self.variables)
        if block.word == "range":
            yield from self._range(block, dot)
        else:
            declared, _, _ = _declaration(block.pipe)
            got = self.pipe(block.pipe, dot)
            value = self.variables[declared[0]] if declared else (got[0] if got else None)
            if truth(value):
                yield from self.nodes(block.body, value if block.word == "with" else dot)
            else:
                yield from self.nodes(block.otherwise, dot)
        self.variables = saved

    def _range(self, block: Block, dot: Any) -> Iterator[str]:
        names, _, pipe = _declaration(block.pipe)
        over = self.value(pipe, dot)
        pairs = sorted(over.items()) if isinstance(over, dict) else list(enumerate(over if isinstance(over, list) else ()))
        if isinstance(over, int) and not isinstance(over, bool):
            pairs = [(one, one) for one in range(over)]
        if not pairs:
            yield from self.nodes(block.otherwise, dot)
        for key, value in pairs:
            if names:
                self.variables.update(zip(names, (value,) if len(names) == 1 else (key, value), strict=False))
            try:
                yield from self.nodes(block.body, value)
            except Break:
                return
            except Continue:
                continue

    def pipe(self, text: str, dot: Any) -> tuple[Any] | None:
        """The value of a pipeline, in a tuple; None for a declaration or assignment, which prints nothing."""
        names, operator, pipe = _declaration(text)
        value = self.value(pipe, dot)
        if names:
            if operator == "=" and names[0] not in self.variables:
                raise TemplateError(f'undefined variable "{names[0]}"')
            self.variables[names[0]] = value
            return None
        return (value,)

    def value(self, text: str, dot: Any) -> Any:
        tokens = _lex(text)
        value, rest = self._commands(tokens, dot)
        if rest:
            raise TemplateError(f"unexpected {rest[0][1]!r} in command")
        return value

    def _commands(self, tokens: list[tuple[str, str]], dot: Any) -> tuple[Any, list[tuple[str, str]]]:
        """`a | f x | g`: each command gets the one before it as its last argument."""
        value, final = None, False
        while True:
            words: list[Any] = []
            while tokens and (tokens[0][0] == "text" or tokens[0][1] not in ("|", ")")):
                words.append(self._operand(tokens, dot))
            if not words:
                raise TemplateError("missing value for command")
            extra = [value] if final else []
            value, final = self._call(words, extra), True
            if tokens and tokens[0] == ("op", "|"):
                tokens.pop(0)
                continue
            return value, tokens

    def _operand(self, tokens: list[tuple[str, str]], dot: Any) -> Any:
        kind, word = tokens.pop(0)
        if kind == "text":
            return word
        if kind == "char":
            return ord(word[1:-1])
        if kind == "number":
            return float(word) if "." in word else int(word)
        if kind == "path":
            return self._path(word, dot)
        if word == "(":
            value, rest = self._commands(tokens, dot)
            if not rest:
                raise TemplateError("unclosed left paren")
            rest.pop(0)
            if rest and rest[0][0] == "path" and CHAIN.fullmatch(rest[0][1]):
                value = _fields(value, rest.pop(0)[1])
            return value
        if word in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[word]
        if word in FUNCTIONS:
            return FUNCTIONS[word]
        raise TemplateError(f'function "{word}" not defined')

    def _path(self, word: str, dot: Any) -> Any:
        if word.startswith("$"):
            name, point, rest = word.partition(".")
            if name not in self.variables:
                raise TemplateError(f'undefined variable "{name}"')
            return _fields(self.variables[name], point + rest) if rest else self.variables[name]
        return dot if word == "." else _fields(dot, word)

    @staticmethod
    def _call(words: list[Any], extra: list[Any]) -> Any:
        head = words[0]
        if callable(head):
            function: Callable[..., Any] = head
            try:
                return function(*[None if one is MISSING else one for one in (*words[1:], *extra)])
            except TypeError as error:
                raise TemplateError(f"wrong number or kind of args: {error}") from error
        if len(words) > 1 or extra:
            raise TemplateError(f"can't give argument to non-function {gotext.text(head)}")
        return head


def shown(value: Any) -> str:
    return "<no value>" if value is None or value is MISSING else gotext.text(value)


def _fields(value: Any, chain: str) -> Any:
    """`.a.b` from a value; a map without the key gives MISSING, and nothing more can be asked of that."""
    for name in chain.split(".")[1:]:
        if value is None or value is MISSING:
            return MISSING
        if not isinstance(value, dict):
            raise TemplateError(f"can't evaluate field {name} in type {_type_name(value)}")
        value = value.get(name, MISSING)
    return value


def _type_name(value: Any) -> str:
    named = {str: "string", bool: "bool", int: "float64", float: "float64", list: "[]interface {}"}
    return named.get(type(value), "interface {}")


def _declaration(text: str) -> tuple[list[str], str, str]:
    """`$i, $x := pipe`, `$x = pipe` or a pipeline: (variables, operator, pipeline)."""
    found = re.match(r"(\$\w*(?:\s*,\s*\$\w*)?)\s*(:=|=)\s*(.*)", text, re.DOTALL)
    if found is None:
        return [], "", text
    return [name.strip() for name in found.group(1).split(",")], found.group(2), found.group(3)


def _lex(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise TemplateError(f"unexpected {text[at]!r} in operand")
        kind = str(found.lastgroup)
        word = found.group(kind)
        if kind == "text":
            word = word[1:-1] if word[0] == "`" else _unquote(word[1:-1])
        tokens.append((kind, word))
        at = found.end()
    return tokens


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found.group(1), found.group(1)), text)
