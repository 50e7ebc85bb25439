"""The command line as a whole: find the command, parse its flags, run it, answer with its exit code.

A command is a function in `kubectl/commands/`, declared with Typer; only the module of the command that was called is imported. As
upstream does, flags may stand anywhere, also before the command's name; all of them are read by the command that was found.
https://kubernetes.io/docs/reference/kubectl/
"""

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import typer
from typer.core import TyperGroup

from kubectl.commands import COMMANDS, Command
from kubectl.errors import report
from kubectl.flags import Flag, Misused, Parsed, UsageError, first_argument, parse, with_global
from kubectl.help import command_help, root_help
from kubectl.options import DURATION, FAMILY, SLICE
from kubectl.session import Session


@dataclass(frozen=True)
class Found:
    """A command, the words that led to it, and the words left for it."""

    command: Any  # TyperCommand | TyperGroup: both have params, callback, help, epilog
    path: tuple[str, ...]
    words: list[str]
    flags: list[Flag] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)  # its own, and those it has from the group around it

    @property
    def spoken(self) -> str:
        return " ".join(("kubectl", *self.path))


class UnknownSubcommand(Exception):
    """A word that a group of commands does not have; the message is the whole text for stderr."""


def run(words: Sequence[str]) -> int:
    """One command line, to its exit code."""
    try:
        return _run(list(words))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader is gone; nothing is left to say
        return 1


def _run(words: list[str]) -> int:
    if words and words[0] == "__complete":
        from kubectl.completing import complete

        sys.stdout.write(complete(words[1:], _led_to))
        return 0
    globally = with_global(())
    at = first_argument(globally, words)
    if at is None:
        return _alone(globally, words)
    if words[at] == "help":
        return _help(words[:at] + words[at + 1 :])
    row = next((row for row in COMMANDS if row.name == words[at] or words[at] in row.aliases), None)
    if row is None:
        return _unknown(words[at], words[:at] + words[at + 1 :])
    try:
        found = _descend(_load(row), (row.name,), words[:at] + words[at + 1 :])
    except UnknownSubcommand as error:
        return _say(str(error))
    try:
        parsed = parse(found.flags, found.words)
    except UsageError as error:
        if found.spoken == "kubectl diff":  # its exit code 1 says that there are differences
            return _say(f"error: {error}\nSee 'kubectl diff -h' for help and examples", 2)
        return _say(f"error: {error}\nSee '{found.spoken} --help' for usage.")
    if parsed.values.get("help"):
        asked = "--help" in words or "-h" in words
        (sys.stdout if asked else sys.stderr).write(_page(found))
        return 0 if asked else 1
    for notice in parsed.notices:
        _say(notice)
    return _call(found, parsed)


def _led_to(words: list[str]) -> Found | None:
    """The command that these words lead to, as far as they go; None: to none yet."""
    at = first_argument(with_global(()), words)
    row = next((row for row in COMMANDS if at is not None and words[at] in (row.name, *row.aliases)), None)
    if row is None or at is None:
        return None
    try:
        return _descend(_load(row), (row.name,), words[:at] + words[at + 1 :], halting=True)
    except UnknownSubcommand:
        return None


def _call(found: Found, parsed: Parsed) -> int:
    """Hand the values to the function. The one place that turns errors into an exit code."""
    own = {param.name for param in found.command.params}
    values = _values(found, parsed)
    missing = [param for param in found.command.params if param.required and param.name not in parsed.values]
    if missing:
        named = ", ".join(f'"{_flag(param).name}"' for param in missing)
        return _say(f"error: required flag(s) {named} not set")
    session = Session(
        flags={name: value for name, value in {**parsed.values, **values}.items() if name not in own},
        args=parsed.arguments,
        dash=parsed.dash,
        spoken=_spoken(found, parsed),
    )
    context = typer.Context(found.command, info_name=found.spoken, obj=session)
    context.params = {name: value for name, value in values.items() if name in own}
    try:
        with context:
            found.command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    except Misused as error:
        sys.stdout.write(_page(found))
        return _say(f"error: {error}") if str(error) else 0
    except UsageError as error:
        see = f"\nSee '{found.spoken} -h' for help and examples" if error.hint else ""
        return _say(f"error: {error}{see}")
    except BrokenPipeError:
        raise
    except session.expected_errors as error:
        text, code = report(error, session)
        return _say(text, code)
    finally:
        session.close()
        sys.stdout.flush()
    return 0


def _spoken(found: Found, parsed: Parsed) -> str:
    """The command as --record keeps it: arguments, then flags with their full names."""
    return " ".join([found.spoken, *parsed.arguments, *(f"--{name}={value}" for name, value in parsed.given)])


def _values(found: Found, parsed: Parsed) -> dict[str, Any]:
    """A value for each parameter. (Typer's own conversion would import pydantic, which takes longer than the whole command.)"""
    kinds = {flag.key: flag.kind for flag in found.flags}
    values: dict[str, Any] = {}
    for param in found.params:
        given = parsed.values.get(param.name)
        if given is None:
            values[param.name] = list(param.default or ()) if kinds[param.name] in ("list", "slice") else param.default
        else:
            values[param.name] = int(str(given)) if kinds[param.name] == "int" else given
    return values


def _load(row: Command) -> Any:
    module = importlib.import_module(f"kubectl.commands.{row.module or row.name.replace('-', '_')}")
    command = typer.main.get_command(module.app)
    for alias, name in getattr(module, "ALIASES", {}).items():
        command.commands[alias] = command.commands[name]  # type: ignore[attr-defined]  # only groups have aliases
    return command


def _descend(command: Any, path: tuple[str, ...], words: list[str], family: Sequence[Any] = (), *, halting: bool = False) -> Found:
    """Follow the words into subcommands. `family`: the flags that the groups around it share with it; `halting`: they may end."""
    own = {param.name for param in command.params}
    params = [*command.params, *(param for param in family if param.name not in own)]
    flags = with_global(_flag(param) for param in params)
    if isinstance(command, TyperGroup):
        at = first_argument(flags, words)
        if at is not None and words[at] in command.commands:
            shared = [param for param in params if param.rich_help_panel == FAMILY]
            return _descend(
                command.commands[words[at]],
                (*path, str(command.commands[words[at]].name)),
                words[:at] + words[at + 1 :],
                shared,
                halting=halting,
            )
        if at is not None and not command.invoke_without_command:
            raise UnknownSubcommand(
                f"error: unknown command \"{words[at]}\"\nSee 'kubectl {' '.join(path)} -h' for help and examples"
            )
        if at is None and not command.invoke_without_command and not halting:
            return Found(command, path, ["--help"], flags, params)
    return Found(command, path, words, flags, params)


def _flag(param: Any) -> Flag:
    """What Typer read from the signature, as a flag."""
    long = next((text for text in param.opts if text.startswith("--")), f"--{param.name}")
    short = next((text[1:] for text in param.opts if not text.startswith("--")), "")
    annotated = param.type_descriptor.annotation if hasattr(param.type_descriptor, "annotation") else None
    kind = "string"
    if param.is_flag:
        kind = "bool"
    elif param.multiple:
        kind = "slice" if param.metavar == SLICE else "list"
    elif param.metavar == DURATION:
        kind = DURATION
    elif annotated is int or isinstance(param.default, int):
        kind = "int"
    default = "" if param.default is None or callable(param.default) else param.default
    text = ("true" if default else "false") if kind == "bool" else str(default)
    if kind == "int" and default is None:
        text = "0"
    return Flag(long[2:], kind, short, text, param.help or "", param.name, param.hidden)


def _page(found: Found) -> str:
    command = found.command
    own = {param.name for param in found.params}
    subcommands: list[tuple[str, str]] = []
    if isinstance(command, TyperGroup):
        own_names = sorted((str(name), sub) for name, sub in command.commands.items() if name == sub.name)
        subcommands = [(name, str(sub.short_help or _first(sub.help))) for name, sub in own_names]
    halting = bool(subcommands) and not command.invoke_without_command  # only leads on: its flags are its subcommands'
    shown = [] if halting else [flag for flag in found.flags if flag.key in own]
    usage = command.epilog or (f"{found.spoken} SUBCOMMAND" if subcommands else found.spoken)
    return command_help(command.help or "", usage, shown, subcommands, found.spoken)


def _first(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0].rstrip(".")


def _alone(flags: list[Flag], words: list[str]) -> int:
    try:
        parse(flags, words)
    except UsageError as error:
        return _say(f"error: {error}\nSee 'kubectl --help' for usage.")
    headings = dict.fromkeys(row.heading for row in COMMANDS)
    groups = [(one, [(row.name, row.summary) for row in COMMANDS if row.heading == one]) for one in headings if one]
    sys.stdout.write(root_help(groups))
    return 0


def _help(words: list[str]) -> int:
    """`kubectl help get` is `kubectl get --help`."""
    found = _led_to(words) if words else None
    if found is not None:
        sys.stdout.write(_page(found))
    elif not words:
        return _alone(with_global(()), words)
    else:
        _say(f"Unknown help topic {[f'`{word}`' for word in words]}".replace("'", ""))
    return 0


def _unknown(name: str, rest: list[str]) -> int:
    """A plugin, if there is one; else upstream's words."""
    from kubectl.plugin import suggestions, try_plugin

    try_plugin([name, *rest])
    text = f'error: unknown command "{name}" for "kubectl"'
    alike = suggestions(name, [row.name for row in COMMANDS])
    if alike:
        text += "\n\nDid you mean this?\n" + "\n".join(f"\t{one}" for one in alike)
    return _say(text)


def _say(text: str, code: int = 1) -> int:
    if text:
        print(text, file=sys.stderr)
    return code
