"""Printers: one object, or many, as -o asks. What a table shows comes from the server (see `table`); all else is made here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kube.api.meta import Tree
from kubectl.errors import CommandError

if TYPE_CHECKING:
    from kubectl.printers.columns import Column

OBJECTS = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"
TABLES = f"custom-columns,custom-columns-file,{OBJECTS.removesuffix('yaml')}wide,yaml"
TEMPLATED = ("go-template", "go-template-file", "template", "templatefile", "jsonpath", "jsonpath-as-json", "jsonpath-file")


@dataclass
class Printer:
    """-o and what goes with it. `show` may be called several times: YAML then puts `---` between objects."""

    output: str = ""
    template: str = ""
    allow_missing: bool = True
    managed_fields: bool = False
    no_headers: bool = False
    own: bool = False  # kubectl made the object: JSON keeps the order of its fields
    _shown: int = field(default=0, repr=False)
    _widths: list[int] = field(default_factory=list, repr=False)

    @property
    def format(self) -> str:
        return self.output.partition("=")[0].lower()

    @property
    def argument(self) -> str:
        """What follows `=`, or --template."""
        return self.output.partition("=")[2] or self.template

    @property
    def human(self) -> bool:
        """A table, rather than objects."""
        return self.format in ("", "wide")

    def check(self, allowed: str = OBJECTS) -> "Printer":
        """Refuse a format before anything is done. Raises CommandError."""
        if self.template and not self.output:
            self.output = "go-template"
        if self.output and self.format not in allowed.split(","):
            raise CommandError(
                f'unable to match a printer suitable for the output format "{self.output}", allowed formats are: {allowed}'
            )
        if self.format in TEMPLATED and not self.argument:
            raise CommandError("template format specified but no template given")
        return self

    def text(self, tree: Tree) -> str:
        """The object, ready to write."""
        from kubectl.printers.tree import without_managed_fields

        shown = without_managed_fields(tree) if self.format in ("json", "yaml", "kyaml") and not self.managed_fields else tree
        text = _FORMATS[self.format](self, shown)
        self._shown += 1
        return text

    def show(self, tree: Tree) -> None:
        print(self.text(tree), end="")

    # --- the formats -----------------------------------------------------------------------------------------------------

    def _json(self, tree: Tree) -> str:
        from kubectl.printers.tree import as_json

        return as_json(tree, sort_keys=not self.own)

    def _yaml(self, tree: Tree) -> str:
        from kube.api.go_yaml import as_yaml

        return ("---\n" if self._shown else "") + as_yaml(tree)

    def _kyaml(self, tree: Tree) -> str:
        from kubectl.printers.kyaml import as_kyaml

        return as_kyaml(tree, sort_keys=not self.own)

    def _name(self, tree: Tree) -> str:
        from kubectl.printers.tree import name_of

        items = tree["items"] if isinstance(tree.get("items"), list) else [tree]
        return "".join(f"{name_of(item)}\n" for item in items)

    def _jsonpath(self, tree: Tree) -> str:
        from kubectl.printers.gotext import go_syntax
        from kubectl.printers.jsonpath import JsonPathError, find, parse, render
        from kubectl.printers.tree import as_json

        template = _read(self.argument, "--template") if self.format.endswith("file") else self.argument
        try:
            parse(template)
        except JsonPathError as error:
            if "not in range" not in str(error) and "unrecognized identifier" not in str(error):
                raise CommandError(f"error parsing jsonpath {template}, {error}") from error
        try:
            if self.format == "jsonpath-as-json":
                return as_json(find(template, tree, allow_missing=self.allow_missing))
            return render(template, tree, allow_missing=self.allow_missing)
        except JsonPathError as error:
            raise CommandError(
                f'error executing jsonpath "{template}": Error executing template: {error}. Printing more information for '
                f"debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t"
                f"{go_syntax(tree)}\n\n"
            ) from error

    def _go_template(self, tree: Tree) -> str:
        from kubectl.printers.template import render
        from kubectl.printers.template_functions import TemplateError

        template = _read(self.argument, "--template") if self.format.endswith("file") else self.argument
        try:
            return render(template, tree)
        except TemplateError as error:
            raise CommandError(f"error parsing template {template}, template: output:1: {error}") from error

    def _columns(self, tree: Tree) -> str:
        from kubectl.printers import columns
        from kubectl.printers.tabwriter import Table

        if not hasattr(self, "_table"):
            self._table, self._specs = Table(), self._specified()
        headed = self._shown or self.no_headers
        rows = [] if headed else [[one.header for one in self._specs]]
        items = tree["items"] if isinstance(tree.get("items"), list) else [tree]
        rows += [columns.row(self._specs, item) for item in items]
        return "".join(f"{line}\n" for line in self._table.lines(rows))

    def _specified(self) -> "list[Column]":
        from kubectl.printers import columns

        return columns.parse_file(_read(self.argument)) if self.format.endswith("file") else columns.parse(self.argument)


def _read(path: str, what: str = "template") -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise CommandError(f"error reading {what} {path}, open {path}: {(error.strerror or '').lower()}") from error


_FORMATS: dict[str, Callable[[Printer, Tree], str]] = {
    "json": Printer._json,
    "yaml": Printer._yaml,
    "kyaml": Printer._kyaml,
    "name": Printer._name,
    "jsonpath": Printer._jsonpath,
    "jsonpath-file": Printer._jsonpath,
    "jsonpath-as-json": Printer._jsonpath,
    "go-template": Printer._go_template,
    "go-template-file": Printer._go_template,
    "template": Printer._go_template,
    "templatefile": Printer._go_template,
    "custom-columns": Printer._columns,
    "custom-columns-file": Printer._columns,
}
