"""Flags: a frozen dataclass becomes a command line with upstream's flag names.

    @dataclass(frozen=True)
    class Config:
        secure_port: int = flag("--secure-port", 6443, "The port on which to serve HTTPS.")

`--name=value` and `--name value` both work; a boolean may stand alone or take true/false; a tuple is given by commas or by
repeating the flag; `Seconds` takes Go's durations. An unknown flag ends the program with exit code 1, as upstream's do.
https://kubernetes.io/docs/reference/command-line-tools-reference/
"""

import argparse
import sys
import types
from collections.abc import Callable
from dataclasses import MISSING, field, fields
from pathlib import Path
from typing import Any, NewType, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from kube.api import duration

C = TypeVar("C")
Seconds = NewType("Seconds", float)  # written as a Go duration: 10s, 1h30m


def flag(name: str, default: Any, text: str, *, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a field as a flag. `default` is shown in --help."""
    return field(default=default, metadata={"flag": name, "help": text, "aliases": aliases})


def parse(config: type[C], argv: list[str] | None = None, prog: str = "") -> C:
    """The configuration that a command line states; `argv` without the program's name."""
    about = sys.modules[config.__module__].__doc__
    parser = _Parser(prog=prog or None, description=about, allow_abbrev=False)
    hints = get_type_hints(config)
    for one in fields(config):  # type: ignore[arg-type]  # a dataclass, by contract
        if "flag" in one.metadata:
            _add(parser, one.name, hints[one.name], one.default, one.metadata)
    given = vars(parser.parse_args(sys.argv[1:] if argv is None else argv))
    return config(**given)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ")
        print(f"Error: unknown flag: {unknown.split()[0]}" if unknown != message else f"Error: {message}", file=sys.stderr)
        raise SystemExit(1)


def _add(parser: argparse.ArgumentParser, name: str, hint: Any, default: Any, metadata: Any) -> None:
    kind, many = _kind(hint)
    options: dict[str, Any] = {"dest": name, "help": f"{metadata['help']} (default: {_shown(default)})"}
    options["default"] = None if default is MISSING else default
    if kind is bool:
        options |= {"nargs": "?", "const": True, "type": _boolean, "metavar": "true|false"}
    elif many:
        options |= {"action": _Collect, "convert": kind, "metavar": "LIST"}
    else:
        options |= {"type": duration.parse_go if kind is Seconds else kind, "metavar": "VALUE"}
    parser.add_argument(metadata["flag"], *metadata["aliases"], **options)


class _Collect(argparse.Action):
    """Comma-separated values, gathered over repetitions; the first one given replaces the default."""

    def __init__(self, *args: Any, convert: Callable[[str], Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self._convert = convert
        self._given: tuple[Any, ...] = ()

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        self._given += tuple(self._convert(part) for part in str(values).split(",") if part)
        setattr(namespace, self.dest, self._given)


def _kind(hint: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there are many: `Path | None` is Path, `tuple[str, ...]` is many str."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    return hint, False


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1", "t"):
        return True
    if text.lower() in ("false", "0", "f"):
        return False
    raise argparse.ArgumentTypeError(f'invalid boolean value "{text}"')


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or '""'
    return '""' if default in ("", None) or default == Path() else str(default).replace("%", "%%")
