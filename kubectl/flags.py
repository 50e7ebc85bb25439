"""Flags: parsed as upstream's library does it (spf13/pflag), for the options that Typer read from a command's signature.

Rules kept: flags and arguments mix; `--name=value`, `--name value`, `-n value`, `-nvalue`, `-n=value`; short booleans cluster
(`-it`); a boolean takes its value only after `=` (`--wait=false`); some flags may stand bare (`--dry-run`); after `--` all is
argument.
https://pkg.go.dev/github.com/spf13/pflag
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kube.api.duration import parse_go

TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")

# What a flag says that may stand without a value.
BARE = {"dry-run": "unchanged", "cascade": "background", "validate": "strict"}
DEPRECATED = {
    "record": "--record will be removed in the future",
    "cpu-percent": "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).",
}


class UsageError(Exception):
    """The command line cannot be understood; the message is upstream's, `hint` adds where to read on."""

    def __init__(self, message: str, *, hint: bool = True) -> None:
        super().__init__(message)
        self.hint = hint


class Misused(UsageError):
    """So wrong that the command's whole page is shown before the message; without a message that is all, and no failure."""


@dataclass(frozen=True)
class Flag:
    """One flag. `kind` is bool, string, int, duration, list or slice (a list that commas also divide)."""

    name: str
    kind: str = "string"
    short: str = ""
    default: str = ""
    help: str = ""
    key: str = ""  # what the value is filed under; empty: the name
    hidden: bool = False

    @property
    def filed(self) -> str:
        return self.key or self.name

    @property
    def bare(self) -> str | None:
        """The value of the flag alone; None: it needs one."""
        return "true" if self.kind == "bool" else BARE.get(self.name)


@dataclass
class Parsed:
    """`values`: per flag key the text(s) given; `dash`: how many arguments stood before `--`, None without one."""

    values: dict[str, str | bool | list[str]] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    dash: int | None = None
    notices: list[str] = field(default_factory=list)  # deprecations, for stderr
    given: list[tuple[str, str]] = field(default_factory=list)  # every flag as it came, for --record


GLOBAL = (
    Flag("as", help="Username to impersonate for the operation. User could be a regular user or a service account in a namespace."),
    Flag("as-group", "slice", help="Group to impersonate for the operation, this flag can be repeated to specify multiple groups."),
    Flag("as-uid", help="UID to impersonate for the operation."),
    Flag(
        "as-user-extra",
        "list",
        help="User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same key.",
    ),
    Flag("certificate-authority", help="Path to a cert file for the certificate authority"),
    Flag("client-certificate", help="Path to a client certificate file for TLS"),
    Flag("client-key", help="Path to a client key file for TLS"),
    Flag("cluster", help="The name of the kubeconfig cluster to use"),
    Flag("context", help="The name of the kubeconfig context to use"),
    Flag(
        "insecure-skip-tls-verify",
        "bool",
        help="If true, the server's certificate will not be checked for validity. This will make your HTTPS connections insecure",
    ),
    Flag("kubeconfig", help="Path to the kubeconfig file to use for CLI requests."),
    Flag("namespace", short="n", help="If present, the namespace scope for this CLI request"),
    Flag(
        "request-timeout",
        default="0",
        help="The length of time to wait before giving up on a single server request. Non-zero values should contain a "
        "corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests.",
    ),
    Flag("server", short="s", help="The address and port of the Kubernetes API server"),
    Flag(
        "tls-server-name",
        help="Server name to use for server certificate validation. If it is not provided, the hostname used to contact "
        "the server is used",
    ),
    Flag("token", help="Bearer token for authentication to the API server"),
    Flag("user", help="The name of the kubeconfig user to use"),
    Flag("v", "int", "v", default="0", help="number for the log level verbosity"),
    Flag(
        "warnings-as-errors",
        "bool",
        help="Treat warnings received from the server as errors and exit with a non-zero exit code",
    ),
)
HELP = Flag("help", "bool", "h", hidden=True)


def with_global(own: Iterable[Flag]) -> list[Flag]:
    """A command's flags and the global ones; its own win where a name or a letter is the same."""
    flags = list(own)
    names = {flag.name for flag in flags}
    shorts = {flag.short for flag in flags}
    for flag in (*GLOBAL, HELP):
        if flag.name not in names:
            flags.append(flag if flag.short not in shorts else Flag(flag.name, flag.kind, "", flag.default, flag.help))
    return flags


def parse(flags: Sequence[Flag], words: Sequence[str]) -> Parsed:
    """Divide a command line into flags and arguments. Raises UsageError."""
    parsed = Parsed()
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            parsed.dash = len(parsed.arguments)
            parsed.arguments += rest
            break
        if word.startswith("--"):
            _long(parsed, by_name, word, rest)
        elif word.startswith("-") and word != "-":
            _cluster(parsed, by_short, word, rest)
        else:
            parsed.arguments.append(word)
    return parsed


def first_argument(flags: Sequence[Flag], words: Sequence[str]) -> int | None:
    """Where the first word stands that is no flag and no flag's value: the (sub)command's name. Unknown flags stand alone."""
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return None
        if not word.startswith("-") or word == "-":
            return index
        flag = by_name.get(word[2:]) if word.startswith("--") else by_short.get(word[1:])
        index += 2 if flag is not None and flag.bare is None else 1
    return None


def _long(parsed: Parsed, by_name: dict[str, Flag], word: str, rest: list[str]) -> None:
    name, equals, value = word[2:].partition("=")
    flag = by_name.get(name.replace("_", "-"))
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    if equals:
        _file(parsed, flag, value, shown)
    elif flag.bare is not None:
        _file(parsed, flag, flag.bare, shown)
    elif rest:
        _file(parsed, flag, rest.pop(0), shown)
    else:
        raise UsageError(f"flag needs an argument: --{name}")


def _cluster(parsed: Parsed, by_short: dict[str, Flag], word: str, rest: list[str]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = by_short.get(letter)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: '{letter}' in {word}")
        shown = f"-{letter}, --{flag.name}"
        if letters.startswith("="):
            return _file(parsed, flag, letters[1:], shown)
        if flag.bare is not None:
            _file(parsed, flag, flag.bare, shown)
        elif letters:
            return _file(parsed, flag, letters, shown)
        elif rest:
            return _file(parsed, flag, rest.pop(0), shown)
        else:
            raise UsageError(f"flag needs an argument: '{letter}' in {word}")
    return None


def _file(parsed: Parsed, flag: Flag, text: str, shown: str) -> None:
    """Put a value where it belongs, checked for its kind."""
    parsed.given.append((flag.name, text))
    if flag.name in DEPRECATED:
        parsed.notices.append(f"Flag --{flag.name} has been deprecated, {DEPRECATED[flag.name]}")
    if flag.kind == "bool":
        if text not in TRUE + FALSE:
            raise UsageError(f'invalid argument "{text}" for "{shown}" flag: strconv.ParseBool: parsing "{text}": invalid syntax')
        parsed.values[flag.filed] = text in TRUE
    elif flag.kind in ("list", "slice"):
        values = parsed.values.setdefault(flag.filed, [])
        assert isinstance(values, list), "a list flag is filed as a list"
        values += text.split(",") if flag.kind == "slice" else [text]
    else:
        if flag.kind == "int" and not text.lstrip("+-").isdecimal():
            raise UsageError(f'invalid argument "{text}" for "{shown}" flag: strconv.ParseInt: parsing "{text}": invalid syntax')
        if flag.kind == "duration":
            _check_duration(text, shown)
        parsed.values[flag.filed] = text


def _check_duration(text: str, shown: str) -> None:
    try:
        parse_go(text)
    except ValueError as error:
        raise UsageError(f'invalid argument "{text}" for "{shown}" flag: {error}') from error
