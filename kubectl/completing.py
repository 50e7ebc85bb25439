"""Completion: the words that may come next on a command line.

A shell asks `kubectl __complete WORD... LAST`, LAST being what was begun; the answer is one candidate a line, a tab and what it is
where that is known, and a line `:4`, or `:0` where the shell may complete file names (the protocol of cobra, which upstream's
kubectl speaks: scripts made by either work with both). A server that does not answer has no candidates.
https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kube.api.status import ApiError
from kube.client import kubeconfig
from kube.client.kubeconfig import ConfigError
from kubectl.commands import COMMANDS
from kubectl.errors import CommandError
from kubectl.flags import Flag, UsageError, parse
from kubectl.selection import Query, listed
from kubectl.session import Session
from kubectl.transport import Unreachable

NO_FILES, FILES = ":4", ":0"
OF_TYPES = (
    "get", "describe", "delete", "edit", "label", "annotate", "patch", "scale", "autoscale", "expose", "wait", "explain", "set",
    "restart", "status", "history", "undo", "pause", "resume",
)  # fmt: skip
OF_PODS = ("logs", "exec", "attach", "port-forward", "debug", "cp", "pod")
OF_NODES = ("cordon", "uncordon", "drain", "node")
OUTPUTS = ("json", "yaml", "name", "wide", "go-template", "jsonpath", "custom-columns")

Candidates = Iterable[tuple[str, str]]  # a word, and what it is
Found = Callable[[list[str]], Any]  # the command that words lead to: its path, its flags, the words left, its subcommands


def complete(words: Sequence[str], found: Found) -> str:
    """What `__complete` prints."""
    *before, last = words or [""]
    command = found(list(before))
    if command is None:
        rows = [(row.name, row.summary) for row in COMMANDS if row.heading]
        return _text(rows, last, NO_FILES)
    flags: list[Flag] = command.flags
    waiting = _awaiting_value(flags, before)
    if waiting is not None:
        candidates = list(_values(waiting, _session(command, before[:-1])))
        return _text(candidates, last, NO_FILES if candidates else FILES)
    if last.startswith("-"):
        return _text([(f"--{one.name}", one.help) for one in flags if not one.hidden], last, NO_FILES)
    subcommands = getattr(command.command, "commands", {})
    if subcommands and not command.words:
        return _text([(name, sub.short_help or "") for name, sub in subcommands.items() if name == sub.name], last, NO_FILES)
    try:
        candidates = list(_arguments(command.path[-1], _session(command, command.words), last))
    except (ApiError, Unreachable, CommandError, ConfigError, UsageError, OSError):
        candidates = []
    return _text(candidates, last, NO_FILES)


def _awaiting_value(flags: list[Flag], before: Sequence[str]) -> Flag | None:
    """The flag at the end of the line that needs a value."""
    if not before or not before[-1].startswith("-") or "=" in before[-1]:
        return None
    name = before[-1]
    named = (one for one in flags if name in (f"--{one.name}", f"-{one.short}") and one.bare is None)
    return next(named, None)


def _session(command: Any, words: Sequence[str]) -> Session:
    """One with the flags given so far."""
    try:
        parsed = parse(command.flags, words)
    except UsageError:
        return Session({})
    return Session(dict(parsed.values), parsed.arguments)


def _values(flag: Flag, session: Session) -> Candidates:
    """Of a flag."""
    if flag.name == "namespace":
        yield from _names(session, "namespaces")
    elif flag.name == "output":
        yield from ((one, "") for one in OUTPUTS)
    elif flag.name in ("context", "cluster", "user"):
        yield from _configured(f"{flag.name}s")


def _configured(section: str) -> Candidates:
    """What the kubeconfig names."""
    return [(str(one["name"]), "") for one in kubeconfig.read(kubeconfig.paths()).get(section) or ()]


def _arguments(verb: str, session: Session, last: str) -> Candidates:
    """Of a command, after the arguments that it has."""
    if verb in ("use-context", "delete-context", "rename-context"):
        return _configured("contexts")
    if verb in OF_NODES:
        return _names(session, "nodes")
    if verb in OF_PODS:
        return _names(session, "pods") if len(session.args) == 0 else _containers(session) if verb == "logs" else []
    if verb == "taint" and not session.args:
        return [("nodes", "")]
    if verb not in OF_TYPES:
        return []
    kind, slash, _ = last.partition("/")
    if slash:
        return [(f"{kind}/{name}", what) for name, what in _names(session, kind)]
    return _names(session, session.args[0]) if session.args and verb != "explain" else _types(session)


def _types(session: Session) -> Candidates:
    """Each kind by its plural, with its group."""
    return [(one.qualified, "") for one in session.discovery.preferred()]


def _names(session: Session, kind: str) -> Candidates:
    try:
        return [(tree["metadata"]["name"], "") for tree in listed(session, session.discovery.find(kind), Query())]
    except (ApiError, Unreachable, CommandError, ConfigError, OSError):
        return []


def _containers(session: Session) -> Candidates:
    (item,) = session.items(Query(["pod", session.args[0]]))
    return [(one["name"], "") for one in item.tree["spec"]["containers"]]


def _text(candidates: Candidates, last: str, directive: str) -> str:
    fitting = [(word, what) for word, what in candidates if word.startswith(last)]
    lines = [f"{word}\t{what.partition('.')[0]}" if what else word for word, what in fitting]
    return "\n".join([*lines, directive, ""])
