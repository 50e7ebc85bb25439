"""What `label` and `annotate` share: `KEY=VALUE` and `KEY-` arguments, applied to a map in an object's metadata.

kubernetes/kubectl pkg/cmd/label/label.go, pkg/cmd/annotate/annotate.go
"""

from dataclasses import dataclass
from typing import Any

from kube.api.meta import Tree
from kube.api.names import label_value
from kubectl.changes import Changes
from kubectl.errors import CommandError
from kubectl.pod_templates import unsent
from kubectl.printers import Printer
from kubectl.selection import Item, Query, items
from kubectl.session import Session

NONE_GIVEN = "one or more resources must be specified as <resource> <name> or <resource>/<name>"
WORDS = {"labels": ("label", "labeled", "unlabeled"), "annotations": ("annotation", "annotated", "annotated")}


@dataclass(frozen=True)
class Edit:
    """One command line. `field`: labels or annotations."""

    session: Session
    field: str
    flags: dict[str, Any]
    query: Query
    set: dict[str, str]
    remove: tuple[str, ...]

    @classmethod
    def of(cls, session: Session, field: str, flags: dict[str, Any]) -> "Edit":
        """Raises CommandError for arguments that contradict each other."""
        resources, changes = divided(session.args)
        if not (resources or flags["filename"] or flags["kustomize"]):
            raise CommandError(NONE_GIVEN)
        if flags["all"] and flags["selector"]:
            raise CommandError("cannot set --all and --selector at the same time")
        if flags["resource_version"] and (flags["all"] or flags["selector"]):
            raise CommandError("--resource-version may only be used with a single resource")
        wanted, unwanted = parsed(changes, WORDS[field][0])
        if not (wanted or unwanted or flags["list_all"]):
            raise CommandError(f"at least one {WORDS[field][0]} update is required")
        query = Query(
            resources,
            flags["filename"],
            flags["recursive"],
            flags["kustomize"],
            flags["selector"],
            flags["field_selector"],
            flags["all_namespaces"],
            all=flags["all"],
            local=flags["local"],
            every=False,
        )
        return cls(session, field, flags, query, wanted, unwanted)

    def run(self) -> None:
        flags = self.flags
        printer = Printer(flags["output"], flags["template"], managed_fields=flags["show_managed_fields"])
        changes = Changes.of(self.session, printer, manager=flags["field_manager"], dry_run_flag=flags["dry_run"])
        changes = unsent(changes, flags["local"])
        found = items(self.session, self.query)
        if not self.flags["list_all"]:
            return self.session.each(found, lambda item: self._one(changes, item, alone=True))
        listed = list(found)
        return self.session.each(listed, lambda item: self._one(changes, item, alone=len(listed) == 1))

    def _one(self, changes: Changes, item: Item, *, alone: bool) -> None:
        have = dict(item.tree["metadata"].get(self.field) or {})
        self._check(have)
        for name in self.remove:
            if name not in have and self.field == "labels":
                self.session.say(f'{WORDS[self.field][0]} "{name}" not found.')
        want = {name: value for name, value in {**have, **self.set}.items() if name not in self.remove}
        if self.flags["list_all"]:
            return self._list(item, want, alone=alone)
        if want == have:
            done = "not labeled" if self.field == "labels" else "annotated"
        else:
            done = WORDS[self.field][2 if self.remove and not self.set else 1]
        tree = {**item.tree, "metadata": {**item.tree["metadata"], self.field: want}}
        if changes.mode != "client" and want != have:
            tree = changes.patch(item, self._patch(have), "application/merge-patch+json")
        changes.said(item, tree, done)
        return None

    def _check(self, have: dict[str, str]) -> None:
        if self.flags["overwrite"]:
            return
        for name, value in self.set.items():
            if name in have and have[name] != value:
                if self.field == "labels":
                    raise CommandError(f"'{name}' already has a value ({have[name]}), and --overwrite is false")
                raise CommandError(
                    "--overwrite is false but found the following declared annotation(s): "
                    f"'{name}' already has a value ({have[name]})"
                )

    def _patch(self, have: dict[str, str]) -> Tree:
        changed: dict[str, str | None] = dict(self.set)
        changed.update({name: None for name in self.remove if name in have})
        metadata: Tree = {self.field: changed}
        if self.flags["resource_version"]:
            metadata["resourceVersion"] = self.flags["resource_version"]
        return {"metadata": metadata}

    def _list(self, item: Item, have: dict[str, str], *, alone: bool) -> None:
        if not alone:
            row = item.resource
            self.session.say(f"Listing {self.field} for {row.kind}.{row.group}/{item.key.name}:")
        for name in sorted(have):
            self.session.say(f"{'' if alone else ' '}{name}={have[name]}")


def divided(args: list[str]) -> tuple[list[str], list[str]]:
    """Resources, then changes: the first KEY=VALUE or KEY- begins the changes."""
    for at, arg in enumerate(args):
        if "=" in arg or (at and arg.endswith("-")):
            return args[:at], args[at:]
    return args, []


def parsed(changes: list[str], what: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """What to set and what to remove. Raises CommandError."""
    wanted: dict[str, str] = {}
    unwanted: list[str] = []
    for text in changes:
        name, equals, value = text.partition("=")
        if equals and not name and text is changes[0]:
            raise CommandError(f"at least one {what} update is required")
        if equals and name:
            if what == "label" and "=" in value:
                raise CommandError(f"invalid label spec: {text}")
            told = label_value(value) if what == "label" else []
            if told:
                raise CommandError(f'invalid label value: "{text}": {told[0]}')
            wanted[name] = value
        elif text.endswith("-") and text != "-":
            unwanted.append(text[:-1])
        else:
            raise CommandError(f"unknown {what} spec: {text}" if what == "label" else f"invalid annotation format: {text}")
    for name in unwanted:
        if name in wanted:
            raise CommandError(
                "can not both modify and remove a label in the same command"
                if what == "label"
                else f"can not both modify and remove the following annotation(s) in the same command: {name}"
            )
    return wanted, tuple(unwanted)
