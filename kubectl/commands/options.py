"""kubectl options: the flags that every command takes."""

import typer

from kubectl.help import global_options

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def options(context: typer.Context) -> None:
    """Print the list of flags inherited by all commands.

    Examples:
      # Print flags inherited by all commands
      kubectl options
    """
    print(global_options(), end="")
