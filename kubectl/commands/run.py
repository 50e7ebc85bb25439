"""kubectl run: one pod from an image, perhaps with a terminal on it.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_run/
"""

import re
import sys
from typing import Annotated, Any

import typer

from kube.api.duration import parse_go
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import CHANGE_CAUSE, LAST_APPLIED, Changes, annotated, applied_annotation
from kubectl.commands.attach import join
from kubectl.commands.delete import Deletion, graceful
from kubectl.creating.kit import label_map, overridden, pairs
from kubectl.deleting import WEEK_SECONDS, options_of, propagation
from kubectl.errors import CommandError
from kubectl.pods import POD, done, running_or_done, wait_for
from kubectl.printers import Printer
from kubectl.selection import Item
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]*)?(?:@[\w+.-]+:[0-9a-fA-F]{32,})?")
RESTARTS = ("Always", "OnFailure", "Never")
SERVICE = Resource("", "v1", "Service", "services")

Image = Annotated[str, typer.Option("--image", help="The image for the container to run.")]
ImagePullPolicy = Annotated[
    str,
    typer.Option(
        "--image-pull-policy",
        help="The image pull policy for the container.  If left empty, this value will not be specified by the client and "
        "defaulted by the server.",
    ),
]
Env = Annotated[list[str], typer.Option("--env", help="Environment variables to set in the container.")]
Port = Annotated[str, typer.Option("--port", help="The port that this container exposes.")]
Expose = Annotated[
    bool,
    typer.Option("--expose", help="If true, create a ClusterIP service associated with the pod.  Requires `--port`."),
]
Labels = Annotated[
    str, typer.Option("--labels", "-l", help="Comma separated labels to apply to the pod. Will override previous values.")
]
Annotations = Annotated[list[str], typer.Option("--annotations", help="Annotations to apply to the pod.")]
Restart = Annotated[
    str, typer.Option("--restart", help="The restart policy for this Pod.  Legal values [Always, OnFailure, Never].")
]
Command = Annotated[
    bool,
    typer.Option(
        "--command",
        help="If true and extra arguments are present, use them as the 'command' field in the container, rather than the "
        "'args' field which is the default.",
    ),
]
Privileged = Annotated[bool, typer.Option("--privileged", help="If true, run the container in privileged mode.")]
Stdin = Annotated[
    bool,
    typer.Option("--stdin", "-i", help="Keep stdin open on the container in the pod, even if nothing is attached."),
]
Tty = Annotated[bool, typer.Option("--tty", "-t", help="Allocate a TTY for the container in the pod.")]
Attach = Annotated[
    bool | None,
    typer.Option(
        "--attach",
        help="If true, wait for the Pod to start running, and then attach to the Pod as if 'kubectl attach ...' were "
        "called.  Default false, unless '-i/--stdin' is set, in which case the default is true. With '--restart=Never' the "
        "exit code of the container process is returned.",
    ),
]
LeaveStdinOpen = Annotated[
    bool,
    typer.Option(
        "--leave-stdin-open",
        help="If the pod is started in interactive mode or with stdin, leave stdin open after the first attach completes. "
        "By default, stdin will be closed after the first attach completes.",
    ),
]
Rm = Annotated[
    bool,
    typer.Option(
        "--rm",
        help="If true, delete the pod after it exits.  Only valid when attaching to the container, e.g. with '--attach' or "
        "with '-i/--stdin'.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="If true, suppress prompt messages.")]


@app.command(
    epilog='kubectl run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] '
    "[--overrides=inline-json] [--command] -- [COMMAND] [args...]"
)
def run(
    context: typer.Context,
    image: Image,
    image_pull_policy: ImagePullPolicy = "",
    env: Env = [],  # noqa: B006
    port: Port = "",
    expose: Expose = False,
    labels: Labels = "",
    annotations: Annotations = [],  # noqa: B006
    restart: Restart = "Always",
    command: Command = False,
    privileged: Privileged = False,
    overrides: options.Overrides = "",
    override_type: options.OverrideType = "merge",
    stdin: Stdin = False,
    tty: Tty = False,
    attach: Attach = None,  # not given: as --stdin says
    leave_stdin_open: LeaveStdinOpen = False,
    rm: Rm = False,
    quiet: Quiet = False,
    pod_running_timeout: options.PodRunningTimeout = "1m0s",
    output: options.Output = "",
    template: options.Template = "",
    allow_missing: options.AllowMissing = True,
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    save_config: options.SaveConfig = False,
    field_manager: options.FieldManager = "kubectl-run",
    record: options.Record = False,
    cascade: options.Cascade = "background",
    force: options.Force = False,
    grace_period: options.GracePeriod = -1,
    wait: options.Wait = False,
) -> None:
    """Create and run a particular image in a pod.

    Examples:
      # Start a nginx pod
      kubectl run nginx --image=nginx
    """
    _run(context.obj, context.params)


def _run(session: Session, flags: dict[str, Any]) -> None:
    attached = flags["stdin"] if flags["attach"] is None else flags["attach"]
    name, extra = _checked(session, flags, attached)
    printer = Printer(flags["output"], flags["template"], flags["allow_missing"], flags["show_managed_fields"], own=True)
    changes = Changes.of(session, printer, manager=flags["field_manager"], dry_run_flag=flags["dry_run"])
    tree = overridden(pod(name, flags, extra), flags["overrides"], flags["override_type"], POD)
    if session.namespace_forced:
        tree["metadata"]["namespace"] = session.namespace
    if flags["record"]:
        tree = annotated(tree, CHANGE_CAUSE, session.spoken)
    if flags["save_config"] and changes.mode != "client":
        tree = annotated(tree, LAST_APPLIED, applied_annotation(tree))
    item = Item(POD, Key(tree["metadata"].get("namespace") or session.namespace, tree["metadata"]["name"]), tree)
    if attached:
        _attach(changes, item, flags)
    else:
        _created(changes, item, flags, flags["expose"])


def _attach(changes: Changes, item: Item, flags: dict[str, Any]) -> None:
    """Make the pod and stay with it to its end; with --rm it goes then."""
    session = changes.session
    grace = graceful(session, flags["grace_period"], now=False, force=flags["force"])
    remove = Deletion(session, options_of(propagation(flags["cascade"]), grace, "none"))
    changes.create(item)
    try:
        code, why = _attended(session, item, flags)
    finally:
        if flags["rm"]:
            remove.delete(item)
            if flags["wait"]:
                remove.wait(WEEK_SECONDS)
    if code:
        session.tell(why)
        raise typer.Exit(code)


def _checked(session: Session, flags: dict[str, Any], attached: bool) -> tuple[str, list[str]]:
    """The pod's name and the words for its container. Raises CommandError for flags that contradict each other."""
    args = session.args
    names = args if session.dash is None else args[: session.dash]
    if not names:
        raise CommandError("NAME is required for run")
    if flags["tty"] and not flags["stdin"]:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if flags["expose"] and not flags["port"]:
        raise CommandError("--port must be set when exposing a service")
    if flags["dry_run"] in ("client", "server") and attached:
        raise CommandError("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)")
    if flags["rm"] and not attached:
        raise CommandError("--rm should only be used for attached containers")
    if flags["port"] and not flags["port"].isdecimal():
        raise CommandError("--port must be a number")
    if not IMAGE.fullmatch(flags["image"]):
        raise CommandError(f'invalid image name "{flags["image"]}": invalid reference format')
    if flags["restart"] not in RESTARTS:
        raise CommandError(f"invalid restart policy: {flags['restart']}, valid values are: Always, OnFailure, Never")
    return names[0], args[1:]


def pod(name: str, flags: dict[str, Any], extra: list[str]) -> Tree:
    """The Pod that the flags describe, its fields in the API's order."""
    container: Tree = {"name": name, "image": flags["image"]}
    if extra:
        container["command" if flags["command"] else "args"] = extra
    if flags["port"]:
        container["ports"] = [{"containerPort": int(flags["port"])}]
    if flags["env"]:
        container["env"] = [{"name": key, "value": value} for key, value in pairs(flags["env"], "env:", "").items()]
    container["resources"] = {}
    if flags["image_pull_policy"]:
        container["imagePullPolicy"] = flags["image_pull_policy"]
    if flags["privileged"]:
        container["securityContext"] = {"privileged": True}
    if flags["stdin"]:
        container["stdin"] = True
        if not flags["leave_stdin_open"]:
            container["stdinOnce"] = True
    if flags["tty"]:
        container["tty"] = True
    metadata: Tree = {
        "name": name,
        "labels": label_map(flags["labels"]) if flags["labels"] else {"run": name},
    }
    if flags["annotations"]:
        metadata["annotations"] = pairs(flags["annotations"], "annotation")
    spec = {"containers": [container], "restartPolicy": flags["restart"], "dnsPolicy": "ClusterFirst"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}}


def _created(changes: Changes, item: Item, flags: dict[str, Any], expose: bool) -> None:
    """The pod, and with --expose its Service."""
    changes.said(item, changes.create(item), "created")
    if not expose:
        return
    port = int(flags["port"])
    spec = {"ports": [{"protocol": "TCP", "port": port, "targetPort": port}], "selector": item.tree["metadata"]["labels"]}
    metadata = {name: item.tree["metadata"][name] for name in ("name", "namespace") if name in item.tree["metadata"]}
    service: Tree = {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}
    exposed = Item(SERVICE, item.key, service)
    changes.said(exposed, changes.create(exposed), "created")


def _attended(session: Session, item: Item, flags: dict[str, Any]) -> tuple[int, str]:
    """Attach once it runs; if it ended before that, show its log. Where it is not restarted, its exit code, and why if not 0."""
    key, name = item.key, item.tree["spec"]["containers"][0]["name"]
    live = wait_for(session, key, running_or_done, parse_go(flags["pod_running_timeout"]))
    if done(live):
        show_log(session, key, name)
    else:
        join(session, live, name, stdin=flags["stdin"], terminal=flags["tty"], quiet=flags["quiet"])
    return (0, "") if flags["restart"] == "Always" else _exit_code(session, key, name)


def show_log(session: Session, key: Key, container: str) -> None:
    answer = session.server.request("GET", POD.path(key.namespace, key.name, "log"), params={"container": container})
    sys.stdout.buffer.write(answer.body)


def _exit_code(session: Session, key: Key, container: str) -> tuple[int, str]:
    """Of a pod that is not restarted, once it is done; and what to say of it."""
    try:
        pod = wait_for(session, key, done, WEEK_SECONDS)
    except NotFound:
        return 0, ""
    if pod["status"]["phase"] == "Succeeded":
        return 0, ""
    for status in pod["status"].get("containerStatuses") or ():
        ended = (status.get("state") or {}).get("terminated")
        if status["name"] == container and ended:
            text = f"pod {key.namespace}/{key.name} terminated ({ended.get('reason', 'Error')})"
            return int(ended["exitCode"]), f"{text}\n{ended['message']}" if ended.get("message") else text
    return 1, f"pod {key.namespace}/{key.name} terminated (Error)"
