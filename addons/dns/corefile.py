"""The Corefile: server blocks of plugins, in the part of CoreDNS's language that clusters use.

    .:53 consul.local {             # zones, each with an optional port
        kubernetes cluster.local {  # a plugin, its arguments, and its options
            ttl 30
        }
        forward . /etc/resolv.conf
    }

A line is a plugin or an option; `#` starts a comment; quotation marks hold words with spaces together; `{$NAME}` is a variable
of the environment. Pure; what the plugins mean is in `settings`.
https://coredns.io/2017/07/23/corefile-explained/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WORD = re.compile(r'"([^"]*)"|(\S+)')
VARIABLE = re.compile(r"\{\$(\w+)\}|\{%(\w+)%\}")


class CorefileError(Exception):
    """The Corefile cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Directive:
    line: int
    name: str
    arguments: tuple[str, ...] = ()
    options: tuple["Directive", ...] = ()


@dataclass(frozen=True)
class ServerBlock:
    line: int
    zones: tuple[str, ...]
    plugins: tuple[Directive, ...]


def parse(text: str, environment: Mapping[str, str]) -> list[ServerBlock]:
    """Raises CorefileError."""
    lines = _lines(VARIABLE.sub(lambda found: environment.get(found[1] or found[2], ""), text))
    blocks = []
    for number, words in lines:
        if words[-1] != "{":
            raise CorefileError(f"line {number}: expected zones and '{{', got {' '.join(words)!r}")
        zones = tuple(zone for word in words[:-1] for zone in word.split(",") if zone)
        blocks.append(ServerBlock(number, zones or (".",), tuple(_directives(lines, number))))
    return blocks


def _directives(lines: Iterator[tuple[int, list[str]]], opened: int) -> Iterator[Directive]:
    """What stands between braces."""
    for number, words in lines:
        if words == ["}"]:
            return
        if words[-1] == "{":
            yield Directive(number, words[0], tuple(words[1:-1]), tuple(_directives(lines, number)))
        else:
            yield Directive(number, words[0], tuple(words[1:]))
    raise CorefileError(f"line {opened}: '{{' is never closed")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, as words."""
    for number, line in enumerate(text.splitlines(), 1):
        words = []
        for found in WORD.finditer(line):
            if found[2] is not None and found[2].startswith("#"):
                break
            words.append(found[1] if found[1] is not None else found[2])
        if words:
            yield number, words
