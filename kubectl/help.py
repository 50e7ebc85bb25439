"""Help texts, in the layout of upstream's kubectl: what it is, examples, subcommands, options, usage.

https://kubernetes.io/docs/reference/kubectl/
"""

from collections.abc import Iterable, Sequence

from kubectl.flags import GLOBAL, Flag

MORE = 'Use "kubectl options" for a list of global command-line options (applies to all commands).'


def command_help(text: str, usage: str, flags: Sequence[Flag], subcommands: Sequence[tuple[str, str]] = (), path: str = "") -> str:
    """The page of one command. `text` may hold an "Examples:" part; `path` is the words that lead to it."""
    parts = [_described(text)]
    if subcommands:
        width = max(14, *(len(name) + 3 for name, _ in subcommands))
        rows = "\n".join(f"  {name:<{width}}{summary}" for name, summary in subcommands)
        parts.append(f"Available Commands:\n{rows}")
    shown = [flag for flag in flags if not flag.hidden]
    if shown:
        parts.append("Options:\n" + options(shown))
    closing = f"Usage:\n  {usage} [options]\n\n"
    if subcommands:
        closing += f'Use "{path} <command> --help" for more information about a given command.\n'
    parts.append(closing + MORE)
    return "\n\n".join(parts) + "\n"


def root_help(groups: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> str:
    """`kubectl` alone: every command, in upstream's groups."""
    parts = [
        "kubectl controls the Kubernetes cluster manager.\n\n"
        " Find more information at: https://kubernetes.io/docs/reference/kubectl/"
    ]
    for heading, rows in groups:
        parts.append(f"{heading}:\n" + "\n".join(f"  {name:<16}{summary}" for name, summary in rows))
    parts.append(
        'Usage:\n  kubectl [flags] [options]\n\nUse "kubectl <command> --help" for more information about a given command.\n' + MORE
    )
    return "\n\n".join(parts) + "\n"


def global_options() -> str:
    """`kubectl options`."""
    return "The following options can be passed to any command:\n\n" + options(GLOBAL) + "\n\n"


def options(flags: Sequence[Flag]) -> str:
    """Each flag with its default, then its help."""
    return "\n\n".join(
        f"    {f'-{flag.short}, ' if flag.short and flag.short != flag.name else ''}--{flag.name}={_default(flag)}:\n\t{flag.help}"
        for flag in sorted(flags, key=lambda flag: flag.name)
    )


def _default(flag: Flag) -> str:
    if flag.kind == "bool":
        return flag.default or "false"
    if flag.kind in ("list", "slice"):
        return "[]"
    if flag.kind == "int":
        return flag.default or "0"
    if flag.kind == "duration":
        return flag.default or "0s"
    return f"'{flag.default}'"


def _described(text: str) -> str:
    """The description with upstream's one-space paragraphs; examples keep their own layout."""
    about, _, examples = text.partition("Examples:")
    paragraphs = [" ".join(part.split()) for part in about.strip().split("\n\n")]
    described = "\n\n ".join(paragraphs)
    if not examples:
        return described
    return f"{described}\n\nExamples:\n{examples.strip(chr(10)).rstrip()}"
