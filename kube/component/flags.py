"""Flags: a frozen dataclass becomes a command line with upstream's flag names.

    @dataclass(frozen=True)
    class Config:
        secure_port: int = flag("--secure-port", 6443, "The port on which to serve HTTPS.")

`--name=value` and `--name value` both work; a boolean may stand alone or take true/false; a tuple is given by commas or by
repeating the flag, and so is a mapping, as key=value; `Seconds` takes Go's durations. A command line that cannot be understood
ends the program with exit code 1 and upstream's words for it; --version tells the version.
https://kubernetes.io/docs/reference/command-line-tools-reference/ · github.com/spf13/pflag
"""

import argparse
import re
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from pathlib import Path
from typing import Any, NewType, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from kube.api import duration
from kube.client.version import GIT_VERSION

C = TypeVar("C")
Seconds = NewType("Seconds", float)  # written as a Go duration: 10s, 1h30m


def flag(name: str, default: Any, text: str, *, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a field as a flag. `default` is shown in --help."""
    metadata = {"flag": name, "help": text, "aliases": aliases}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def parse(config: type[C], argv: list[str] | None = None, prog: str = "") -> C:
    """The configuration that a command line states; `argv` without the program's name."""
    about = sys.modules[config.__module__].__doc__
    parser = _Parser(prog=prog or None, description=about, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"Kubernetes {GIT_VERSION}", help="Tell the version and end.")
    hints = get_type_hints(config)
    for one in fields(config):  # type: ignore[arg-type]  # a dataclass, by contract
        if "flag" in one.metadata:
            default = one.default if one.default_factory is MISSING else one.default_factory()
            _add(parser, one.name, hints[one.name], default, one.metadata)
    given, rest = parser.parse_known_args(sys.argv[1:] if argv is None else argv)
    if rest:
        parser.error(_unknown(rest, parser.prog))
    return config(**vars(given))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """`message` is argparse's, put into upstream's words."""
        needs = re.fullmatch(r"argument ([^:]+): expected one argument", message)
        text = f"flag needs an argument: {needs[1].split('/')[0]}" if needs else re.sub(r"^argument [^:]+: ", "", message)
        print(f"Error: {text}", file=sys.stderr)
        raise SystemExit(1)


def _unknown(rest: list[str], prog: str) -> str:
    first = rest[0].partition("=")[0]
    if first.startswith("--"):
        return f"unknown flag: {first}"
    if first.startswith("-"):
        return f"unknown shorthand flag: '{first[1:2]}' in {rest[0]}"
    quoted = " ".join(f'"{one}"' for one in rest)
    return f'"{prog}" does not take any arguments, got [{quoted}]'


def _add(parser: argparse.ArgumentParser, name: str, hint: Any, default: Any, metadata: Any) -> None:
    shape, kind = _shape(hint)
    convert = _converter(metadata["flag"], kind)
    about = f"{metadata['help']} (default: {_shown(default)})".replace("%", "%%")  # argparse's own sign
    options: dict[str, Any] = {"dest": name, "help": about}
    options["default"] = None if default is MISSING else default
    if shape is tuple:
        options |= {"action": _Collect, "convert": convert, "metavar": "LIST"}
    elif shape is dict:
        options |= {"action": _CollectPairs, "convert": convert, "metavar": "KEY=VALUE,..."}
    elif kind is bool:
        options |= {"nargs": "?", "const": True, "type": convert, "metavar": "true|false"}
    else:
        options |= {"type": convert, "metavar": "VALUE"}
    parser.add_argument(metadata["flag"], *metadata["aliases"], **options)


class _Collect(argparse.Action):
    """Comma-separated values, gathered over repetitions; the first one given replaces the default."""

    def __init__(self, *args: Any, convert: Callable[[str], Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self._convert = convert
        self._given: tuple[Any, ...] = ()

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        try:
            self._given += tuple(self._convert(part) for part in str(values).split(",") if part)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
        setattr(namespace, self.dest, self._given)


class _CollectPairs(argparse.Action):
    """The same for key=value pairs."""

    def __init__(self, *args: Any, convert: Callable[[str], Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self._convert = convert
        self._given: dict[str, Any] = {}

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        for pair in filter(None, str(values).split(",")):
            key, equals, value = pair.partition("=")
            if not equals:
                why = f"malformed pair, expect string=string: {pair}"
                parser.error(f'invalid argument "{values}" for "{option_string}" flag: {why}')
            try:
                self._given[key.strip()] = self._convert(value.strip())
            except argparse.ArgumentTypeError as error:
                parser.error(str(error))
        setattr(namespace, self.dest, self._given)


def _shape(hint: Any) -> tuple[Any, Any]:
    """Whether there is one value (None), a tuple or a dict of them, and the type of each: `Path | None` is one Path."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if get_origin(hint) is tuple:
        return tuple, get_args(hint)[0]
    if get_origin(hint) in (dict, Mapping):
        return dict, get_args(hint)[1]
    return None, hint


def _converter(name: str, kind: Any) -> Callable[[str], Any]:
    """Text to a value; the error is told in the words of Go's parsers."""
    parsers: dict[Any, tuple[Callable[[str], Any], str]] = {
        bool: (_boolean, "strconv.ParseBool"),
        int: (int, "strconv.ParseInt"),
        float: (float, "strconv.ParseFloat"),
        Seconds: (duration.parse_go, ""),
    }
    function, parser = parsers.get(kind, (kind, ""))

    def convert(text: str) -> Any:
        try:
            return function(text)
        except ValueError as error:
            why = f'{parser}: parsing "{text}": invalid syntax' if parser else str(error)
            raise argparse.ArgumentTypeError(f'invalid argument "{text}" for "{name}" flag: {why}') from error

    return convert


def _boolean(text: str) -> bool:
    """strconv.ParseBool"""
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError(text)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or '""'
    if isinstance(default, dict):
        return ",".join(f"{key}={value}" for key, value in default.items()) or '""'
    return '""' if default in ("", None, MISSING) or default == Path() else str(default).replace("%", "%%")
