"""Session: what every command shares: the global flags, the way to the server, the kinds it serves, the streams to write to.

All of it is made when first asked for, so that a command that needs no server never looks for one.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kube.api.duration import parse_go
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kube.client import kubeconfig
from kube.client.kubeconfig import Config, ConfigError
from kubectl.errors import CommandError, Failed, message
from kubectl.transport import Server, Unreachable, warning_line

if TYPE_CHECKING:
    from kubectl.discovery import Discovery
    from kubectl.selection import Item, Query

AGENT = "kubectl/v1.36.0"


@dataclass
class Session:
    """One run of one command."""

    expected_errors: ClassVar[tuple[type[Exception], ...]] = (
        ApiError,
        Unreachable,
        CommandError,
        ConfigError,
        Failed,
        OSError,
        UnicodeDecodeError,
        json.JSONDecodeError,
    )

    flags: dict[str, Any]
    args: list[str] = field(default_factory=list)
    dash: int | None = None  # how many arguments stood before `--`
    spoken: str = ""  # the command line, as --record keeps it

    # --- where to ------------------------------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """The kubeconfig with what the flags override."""
        flags = self.flags
        config = kubeconfig.load(
            flags.get("kubeconfig", ""),
            context=flags.get("context", ""),
            cluster=flags.get("cluster", ""),
            user=flags.get("user", ""),
            server=_with_scheme(flags.get("server", "")),
            namespace=flags.get("namespace", ""),
        )
        changes: dict[str, Any] = {
            "authority": _file(flags.get("certificate-authority")),
            "certificate": _file(flags.get("client-certificate")),
            "key": _file(flags.get("client-key")),
            "insecure": flags.get("insecure-skip-tls-verify"),
            "server_name": flags.get("tls-server-name"),
            "impersonate": tuple(_impersonation(flags)),
        }
        config = replace(config, **{name: value for name, value in changes.items() if value})
        if config.insecure:
            config = replace(config, authority=None)
        return kubeconfig.with_token(config, flags["token"]) if flags.get("token") else config

    @cached_property
    def server(self) -> Server:
        seconds = _timeout(self.flags.get("request-timeout", "0"))
        return Server(self.config, agent=AGENT, warn=self._warned, seconds=seconds or None)

    @property
    def server_url(self) -> str:
        """For messages; empty where the configuration itself is broken."""
        return self.config.server if "config" in self.__dict__ else ""

    @cached_property
    def discovery(self) -> "Discovery":
        from kubectl.discovery import Discovery

        return Discovery(self.server)

    @property
    def namespace(self) -> str:
        return self.config.namespace or "default"

    @property
    def namespace_forced(self) -> bool:
        """Whether -n was given: an object of another namespace is then an error."""
        return bool(self.flags.get("namespace"))

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    # --- objects -------------------------------------------------------------------------------------------------------

    def items(self, query: "Query") -> "list[Item]":
        """The objects that a query names, fetched."""
        from kubectl.selection import items

        return list(items(self, query))

    def visit(self, query: "Query", action: "Callable[[Item], None]") -> int:
        """Do it for every object that a query names; how many there were. Raises what `each` raises."""
        from kubectl.selection import items

        count = 0

        def counted(item: "Item") -> None:
            nonlocal count
            count += 1
            action(item)

        self.each(items(self, query), counted)
        return count

    def each(self, items: "Iterable[Item]", action: "Callable[[Item], None]") -> None:
        """Do it for every object; those that fail do not keep the others from their turn. Raises Failed."""
        errors: list[Exception] = []
        found = iter(items)
        while True:
            try:
                item = next(found, None)
                if item is None:
                    break
                action(item)
            except Failed as error:
                errors += error.errors
            except (ApiError, CommandError) as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise Failed(errors)

    def patch(
        self,
        resource: Resource,
        key: Key,
        patch: Tree | list[Any],
        *,
        type: str = "application/merge-patch+json",
        subresource: str = "",
        manager: str = "",
        dry_run: str = "none",
        more: dict[str, str] | None = None,
    ) -> Tree:
        """PATCH an object; with --dry-run=server nothing is kept."""
        params = {"fieldManager": manager or None, "dryRun": "All" if dry_run == "server" else None, **(more or {})}
        path = resource.path(key.namespace, key.name, subresource)
        return self.server.request("PATCH", path, params=params, body=patch, headers={"Content-Type": type}).tree()

    # --- words ---------------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        print(text)

    def tell(self, text: str) -> None:
        """For stderr: notes, prompts, warnings."""
        sys.stdout.flush()
        print(text, file=sys.stderr)

    def complain(self, error: Exception) -> None:
        self.tell(message(error, self.server_url))

    def close(self) -> None:
        if "server" in self.__dict__:
            self.server.close()

    def _warned(self, text: str) -> None:
        sys.stdout.flush()
        warning_line(text)


def dry_run(text: str) -> str:
    """--dry-run's value: none, client or server. Raises CommandError."""
    if text in ("none", "client", "server"):
        return text
    if text == "unchanged":
        warn("--dry-run is deprecated and can be replaced with --dry-run=client.", "helpers.go:714")
        return "client"
    if text.lower() in ("true", "false"):
        replacement = "client" if text.lower() == "true" else "none"
        warn(f"--dry-run={text} is deprecated (boolean value) and can be replaced with --dry-run={replacement}.", "helpers.go:728")
        return replacement
    raise CommandError(f'Invalid dry-run value ({text}). Must be "none", "server", or "client".')


def warn(text: str, source: str) -> None:
    """A line as upstream's log library writes it: level and date, time, process, the place in upstream's source."""
    print(f"W{datetime.now():%m%d %H:%M:%S.%f} {os.getpid():7d} {source}] {text}", file=sys.stderr)


def suffix(mode: str) -> str:
    """What success lines end with under --dry-run."""
    return {"client": " (dry run)", "server": " (server dry run)"}.get(mode, "")


def _with_scheme(server: str) -> str:
    return server if not server or "://" in server else f"http://{server}"


def _timeout(text: str) -> float:
    """Raises CommandError."""
    try:
        return parse_go(f"{text}s" if text.isdecimal() else text)
    except ValueError as error:
        raise CommandError(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time "
            "unit (e.g. 1s | 2m | 3h)"
        ) from error


def _file(path: str | None) -> bytes | None:
    return Path(os.path.expanduser(path)).read_bytes() if path else None


def _impersonation(flags: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if flags.get("as"):
        yield "Impersonate-User", flags["as"]
    if flags.get("as-uid"):
        yield "Impersonate-Uid", flags["as-uid"]
    if flags.get("as-group"):
        yield "Impersonate-Group", ",".join(flags["as-group"])
    for extra in flags.get("as-user-extra") or ():
        name, _, value = extra.partition("=")
        yield f"Impersonate-Extra-{name}", value
