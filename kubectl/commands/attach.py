"""kubectl attach: join what already runs in a container.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/
"""

import typer

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kubectl import options
from kubectl.commands.execute import Container, Quiet, Stdin, Tty, streams_of
from kubectl.errors import CommandError
from kubectl.pods import POD, container_of, done, pod_of
from kubectl.remote import run
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

PROMPT = (
    "All commands and output from this session will be recorded in container logs, including credentials and sensitive information "
    "passed through the command prompt.\r\nIf you don't see a command prompt, try pressing enter.\r\n"
)


@app.command(epilog="kubectl attach (POD | TYPE/NAME) -c CONTAINER")
def attach(
    context: typer.Context,
    container: Container = "",
    stdin: Stdin = False,
    tty: Tty = False,
    quiet: Quiet = False,
    pod_running_timeout: options.PodRunningTimeout = "1m0s",
) -> None:
    """Attach to a process that is already running inside an existing container.

    Examples:
      # Get output from running pod mypod
      kubectl attach mypod

      # Switch to raw terminal mode; sends stdin to 'bash' in ruby-container from pod mypod
      kubectl attach mypod -c ruby-container -i -t
    """
    session: Session = context.obj
    if not session.args:
        raise CommandError("at least 1 argument is required for attach")
    count = len(session.args)
    if count > 2:
        told = " ".join(session.args)
        raise CommandError(f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {count}: [{told}]")
    pod = pod_of(session, "/".join(session.args), seconds=parse_go(pod_running_timeout))
    if done(pod):
        raise CommandError(f"cannot attach a container in a completed pod; current phase is {pod['status']['phase']}")
    code = join(session, pod, container, stdin=stdin, terminal=tty, quiet=quiet)
    if code:
        raise typer.Exit(code)


def join(session: Session, pod: Tree, container: str, *, stdin: bool, terminal: bool, quiet: bool) -> int:
    """Attach to a pod's container; the exit code, where the server tells it."""
    name = container_of(session, pod, container, quiet=quiet)
    fields = ("containers", "initContainers", "ephemeralContainers")
    spec = next(one for field in fields for one in pod["spec"].get(field) or () if one["name"] == name)
    if terminal and not spec.get("tty"):
        session.tell(f"error: Unable to use a TTY - container {name} did not allocate one")
        terminal = False
    streams = streams_of(session, stdin, terminal)
    path = POD.path(pod["metadata"]["namespace"], pod["metadata"]["name"], "attach")
    greeting = "" if quiet or not streams.stdin else (PROMPT if streams.terminal else PROMPT.replace("\r", ""))
    code = run(session, path, streams.params(name), streams, greeting)
    if streams.stdin and streams.terminal and not quiet:
        metadata = pod["metadata"]
        again = f"kubectl attach {metadata['name']} -c {name} -n {metadata['namespace']} -i -t"
        ephemeral = any(one["name"] == name for one in pod["spec"].get("ephemeralContainers") or ())
        if ephemeral:
            again = f"the ephemeral container will not be restarted but may be reattached using '{again}' if it is still running"
            session.say(f"Session ended, {again}")
        else:
            session.say(f"Session ended, resume using '{again}' command")
    return code
