"""kubectl plugin list: the executables on PATH that answer for commands of their own.

https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from kubectl.commands import COMMANDS
from kubectl.errors import CommandError
from kubectl.session import Session

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Provides utilities for interacting with plugins.",
)

PREFIX = "kubectl-"
NameOnly = Annotated[
    bool, typer.Option("--name-only", help="If true, display only the binary name of each plugin, rather than its full path")
]


@app.callback()
def group() -> None:
    """Provides utilities for interacting with plugins.

    Plugins provide extended functionality that is not part of the major command-line distribution.
    """


@app.command("list", short_help="List all visible plugin executables on a user's PATH", epilog="kubectl plugin list")
def listed(context: typer.Context, name_only: NameOnly = False) -> None:
    """List all available plugin files on a user's PATH. To see plugins binary names without the full path use --name-only flag.

    Available plugin files are those that are: - executable - anywhere on the user's PATH - begin with "kubectl-"
    """
    session: Session = context.obj
    found = list(plugins(os.environ.get("PATH", "").split(os.pathsep)))
    if not found:
        raise CommandError("unable to find any kubectl plugins in your PATH")
    print("The following compatible plugins are available:\n", flush=True)
    warnings = 0
    seen: dict[str, Path] = {}
    for path in found:
        print(path.name if name_only else path, flush=True)
        for warning in _warnings(path, seen):
            session.tell(f"  - warning: {warning}")
            warnings += 1
        seen.setdefault(path.name, path)
    if warnings:
        raise CommandError("one plugin warning was found" if warnings == 1 else f"{warnings} plugin warnings were found")


def plugins(folders: list[str]) -> Iterator[Path]:
    """Every file that is named as a plugin, folder after folder."""
    for folder in dict.fromkeys(one for one in folders if one.strip()):
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            reason = (error.strerror or "").lower()
            print(f'Unable to read directory "{folder}" from your PATH: open {folder}: {reason}. Skipping...', file=sys.stderr)
            continue
        yield from (Path(folder, name) for name in names if name.startswith(PREFIX) and not Path(folder, name).is_dir())


def _warnings(path: Path, seen: dict[str, Path]) -> Iterator[str]:
    words = path.name.removeprefix(PREFIX).replace("_", "-")
    if any(row.name == words for row in COMMANDS):
        yield f'{path.name} overwrites existing command: "kubectl {words}"'
    if not os.access(path, os.X_OK):
        yield f"{path} identified as a kubectl plugin, but it is not executable"
    if path.name in seen:
        yield f"{path} is overshadowed by a similarly named plugin: {seen[path.name]}"
