"""kubectl exec: run a command in a container; its exit code becomes ours.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/
"""

import sys
from typing import Annotated

import typer

from kube.api.duration import parse_go
from kubectl import options
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.pods import POD, container_of, done, pod_of, pods_of
from kubectl.remote import Streams, run
from kubectl.selection import Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Container = Annotated[
    str,
    typer.Option(
        "--container",
        "-c",
        help="Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the "
        "container to be attached or the first container in the pod will be chosen",
    ),
]
Stdin = Annotated[bool, typer.Option("--stdin", "-i", help="Pass stdin to the container")]
Tty = Annotated[bool, typer.Option("--tty", "-t", help="Stdin is a TTY")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only print output from the remote session")]


@app.command("exec", epilog="kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]")
def execute(
    context: typer.Context,
    container: Container = "",
    stdin: Stdin = False,
    tty: Tty = False,
    quiet: Quiet = False,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    pod_running_timeout: options.PodRunningTimeout = "1m0s",
) -> None:
    """Execute a command in a container.

    Examples:
      # Get output from running the 'date' command from pod mypod, using the first container by default
      kubectl exec mypod -- date

      # Switch to raw terminal mode; sends stdin to 'bash' in ruby-container from pod mypod
      kubectl exec mypod -c ruby-container -i -t -- bash -il
    """
    session: Session = context.obj
    args = session.args
    if not filename and (not args or session.dash == 0):
        raise CommandError("pod, type/name or --filename must be specified")
    if session.dash is None and len(args) > 1:
        raise UsageError("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
    command = args[session.dash :] if session.dash is not None else []
    if not command:
        raise CommandError("you must specify at least one command for the container")
    if filename:
        (item,) = session.items(Query(filenames=filename))
        pod = pods_of(session, item, seconds=parse_go(pod_running_timeout))[0]
    else:
        pod = pod_of(session, args[0], seconds=parse_go(pod_running_timeout))
    if done(pod):
        raise CommandError(f"cannot exec into a container in a completed pod; current phase is {pod['status']['phase']}")
    name = container_of(session, pod, container, quiet=quiet)
    streams = streams_of(session, stdin, tty)
    path = POD.path(pod["metadata"]["namespace"], pod["metadata"]["name"], "exec")
    params = [("command", word) for word in command] + streams.params(name)
    code = run(session, path, params, streams)
    if code:
        raise typer.Exit(code)


def streams_of(session: Session, stdin: bool, terminal: bool) -> Streams:
    """-i and -t, where there is a terminal to have."""
    if terminal and not stdin:
        terminal = stdin = True
    if terminal and not sys.stdin.isatty():
        session.tell("Unable to use a TTY - input is not a terminal or the right kind of file")
        terminal = False
    return Streams(stdin, terminal)
