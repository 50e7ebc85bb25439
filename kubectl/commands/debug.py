"""kubectl debug: a container beside those of a running pod, in a copy of it, or on a node; with a terminal on it, perhaps.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_debug/
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from kube.api.meta import Key, Tree
from kubectl import options
from kubectl.commands.attach import join
from kubectl.commands.run import show_log
from kubectl.creating.kit import pairs
from kubectl.debugging import Copy, Wanted, ephemeral_container, generated, node_pod, pod_copy
from kubectl.decoding import DecodeError, documents
from kubectl.errors import CommandError
from kubectl.pods import POD, wait_for
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

RUNNING_SECONDS = 7 * 24 * 3600.0
STRATEGIC = "application/strategic-merge-patch+json"


def _flag(name: str, help: str, *short: str) -> Any:
    return typer.Option(f"--{name}", *short, help=help)


ArgumentsOnly = Annotated[
    bool,
    _flag("arguments-only", "If specified, everything after -- will be passed to the new container as Args instead of Command."),
]
Attach = Annotated[
    bool | None,
    _flag(
        "attach",
        "If true, wait for the container to start running, and then attach as if 'kubectl attach ...' were called.  Default "
        "false, unless '-i/--stdin' is set, in which case the default is true.",
    ),
]
ContainerName = Annotated[str, _flag("container", "Container name to use for debug container.", "-c")]
CopyTo = Annotated[str, _flag("copy-to", "Create a copy of the target Pod with this name.")]
Custom = Annotated[
    str, _flag("custom", "Path to a JSON or YAML file containing a partial container spec to customize built-in debug profiles.")
]
Env = Annotated[list[str], _flag("env", "Environment variables to set in the container.")]
Image = Annotated[str, _flag("image", "Container image to use for debug container.")]
PullPolicy = Annotated[str, _flag("image-pull-policy", "The image pull policy for the container.")]
KeepAnnotations = Annotated[bool, _flag("keep-annotations", "If true, keep the original pod annotations (with '--copy-to').")]
KeepInit = Annotated[bool, _flag("keep-init-containers", "Run the init containers for the pod (with '--copy-to').")]
KeepLabels = Annotated[bool, _flag("keep-labels", "If true, keep the original pod labels (with '--copy-to').")]
KeepLiveness = Annotated[bool, _flag("keep-liveness", "If true, keep the original pod liveness probes (with '--copy-to').")]
KeepReadiness = Annotated[bool, _flag("keep-readiness", "If true, keep the original pod readiness probes (with '--copy-to').")]
KeepStartup = Annotated[bool, _flag("keep-startup", "If true, keep the original startup probes (with '--copy-to').")]
Profile = Annotated[
    str, _flag("profile", 'Options are "general", "baseline", "restricted", "netadmin" or "sysadmin". Defaults to "general"')
]
Quiet = Annotated[bool, _flag("quiet", "If true, suppress informational messages.", "-q")]
Replace = Annotated[bool, _flag("replace", "When used with '--copy-to', delete the original Pod.")]
SameNode = Annotated[bool, _flag("same-node", "When used with '--copy-to', schedule the copy of target Pod on the same node.")]
SetImage = Annotated[
    list[str],
    typer.Option(
        "--set-image",
        metavar=options.SLICE,
        help="When used with '--copy-to', a list of name=image pairs for changing container images, similar to how 'kubectl "
        "set image' works.",
    ),
]
ShareProcesses = Annotated[
    bool, _flag("share-processes", "When used with '--copy-to', enable process namespace sharing in the copy.")
]
Stdin = Annotated[bool, _flag("stdin", "Keep stdin open on the container(s) in the pod, even if nothing is attached.", "-i")]
Target = Annotated[str, _flag("target", "When using an ephemeral container, target processes in this container name.")]
Tty = Annotated[bool, _flag("tty", "Allocate a TTY for the debugging container.", "-t")]


@app.command(epilog="kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]")
def debug(
    context: typer.Context,
    image: Image = "",
    container: ContainerName = "",
    copy_to: CopyTo = "",
    custom: Custom = "",
    set_image: SetImage = [],  # noqa: B006 - read, never changed
    env: Env = [],  # noqa: B006
    image_pull_policy: PullPolicy = "",
    profile: Profile = "general",
    target: Target = "",
    stdin: Stdin = False,
    tty: Tty = False,
    attach: Attach = None,  # not given: as --stdin says
    arguments_only: ArgumentsOnly = False,
    quiet: Quiet = False,
    replace: Replace = False,
    same_node: SameNode = False,
    share_processes: ShareProcesses = True,
    keep_annotations: KeepAnnotations = False,
    keep_init_containers: KeepInit = True,
    keep_labels: KeepLabels = False,
    keep_liveness: KeepLiveness = False,
    keep_readiness: KeepReadiness = False,
    keep_startup: KeepStartup = False,
) -> None:
    """Debug cluster resources using interactive debugging containers.

    Examples:
      # Create an interactive debugging session in pod mypod and immediately attach to it.
      kubectl debug mypod -it --image=busybox

      # Create a copy of mypod adding a debug container and attach to it
      kubectl debug mypod -it --image=busybox --copy-to=my-debugger

      # Create an interactive debugging session on a node and immediately attach to it.
      kubectl debug node/mynode -it --image=busybox
    """
    session: Session = context.obj
    flags = context.params
    names, words = _checked(session, flags)
    wanted = Wanted(
        image, container, words, arguments_only, tuple(pairs(env, "env").items()), image_pull_policy, stdin, tty, profile,
        _custom(custom),
    )  # fmt: skip
    for name in names:
        (item,) = session.items(Query([name] if "/" in name else ["pod", name]))
        made, at = _made(session, item, wanted, flags)
        if (stdin if attach is None else attach) and at:
            _joined(session, made, at, flags)


def _custom(path: str) -> Tree:
    """The part of a container that a file holds. Raises CommandError."""
    if not path:
        return {}
    try:
        found = list(documents(Path(path).read_bytes()))
    except OSError as error:
        why = (error.strerror or "").lower()
        raise CommandError(f"must pass a container spec json file for custom profile: open {path}: {why}") from error
    except DecodeError as error:
        raise CommandError(f"{path} does not contain a valid container spec: {error}") from error
    return found[0] if found and isinstance(found[0], dict) else {}


def _made(session: Session, item: Item, wanted: Wanted, flags: dict[str, Any]) -> tuple[Tree, str]:
    """The pod that has the container, and its name; none where a copy has just other images."""
    if item.resource.plural == "nodes" and not item.resource.group:
        return _on_node(session, item, wanted, flags["quiet"])
    if item.resource.plural != "pods" or item.resource.group:
        row = item.resource
        raise CommandError(f'"{row.group}/{row.version}, Kind={row.kind}" not supported by debug')
    if flags["copy_to"]:
        return _in_copy(session, item, wanted, flags)
    return _beside(session, item, wanted, flags["target"], flags["quiet"])


def _checked(session: Session, flags: dict[str, Any]) -> tuple[list[str], tuple[str, ...]]:
    """What to debug, and the command. Raises CommandError for flags that contradict each other."""
    count = len(session.args) if session.dash is None else session.dash
    names, words = session.args[:count], tuple(session.args[count:])
    if not flags["copy_to"]:
        for name in ("set_image", "replace", "same_node"):
            if flags[name]:
                raise CommandError(f"--{name.replace('_', '-')} may only be used with --copy-to.")
        if not flags["image"]:
            raise CommandError("you must specify --image when not using --copy-to.")
    else:
        if not (flags["image"] or flags["set_image"] or words):
            raise CommandError("you must specify --image, --set-image or command arguments.")
        if flags["target"]:
            raise CommandError("--target is incompatible with --copy-to. Use --share-processes instead.")
    if not names:
        raise CommandError("NAME is required for debug")
    if flags["image_pull_policy"] not in ("", "Always", "IfNotPresent", "Never"):
        raise CommandError(f"invalid image pull policy: {flags['image_pull_policy']}")
    if flags["tty"] and not flags["stdin"]:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    return names, words


def _named(session: Session, wanted: Wanted, quiet: bool) -> Wanted:
    if wanted.name:
        return wanted
    name = generated("debugger")
    if not quiet:
        session.say(f"Defaulting debug container name to {name}.")
    return Wanted(**{**wanted.__dict__, "name": name})


def _beside(session: Session, item: Item, wanted: Wanted, target: str, quiet: bool) -> tuple[Tree, str]:
    """An ephemeral container; the pod and its name."""
    if target and not quiet:
        session.say(
            f'Targeting container "{target}". If you don\'t see processes from this container it may be because the '
            "container runtime doesn't support this feature."
        )
    wanted = _named(session, wanted, quiet)
    names = [one["name"] for one in item.tree["spec"].get("ephemeralContainers") or ()]
    order = [{"name": name} for name in (*names, wanted.name)]  # without it the new one would come first
    patch: Tree = {
        "spec": {
            "$setElementOrder/ephemeralContainers": order,
            "ephemeralContainers": [ephemeral_container(wanted, target)],
        }
    }
    return session.patch(POD, item.key, patch, type=STRATEGIC, subresource="ephemeralcontainers"), wanted.name


def _in_copy(session: Session, item: Item, wanted: Wanted, flags: dict[str, Any]) -> tuple[Tree, str]:
    if wanted.image or wanted.words:
        wanted = _named(session, wanted, flags["quiet"])
    kept = ("labels", "annotations", "init_containers", "liveness", "readiness", "startup")
    how = Copy(
        flags["copy_to"],
        pairs(flags["set_image"], "image"),
        flags["same_node"],
        flags["share_processes"],
        frozenset(name.replace("_", "-") for name in kept if flags[f"keep_{name}"]),
    )
    made = session.server.request("POST", POD.path(item.key.namespace), body=pod_copy(item.tree, how, wanted)).tree()
    if flags["replace"]:
        session.server.request("DELETE", item.path)
    return made, wanted.name


def _on_node(session: Session, item: Item, wanted: Wanted, quiet: bool) -> tuple[Tree, str]:
    pod = node_pod(item.key.name, wanted)
    container = str(pod["spec"]["containers"][0]["name"])
    if not quiet:
        session.say(f"Creating debugging pod {pod['metadata']['name']} with container {container} on node {item.key.name}.")
    return session.server.request("POST", POD.path(session.namespace), body=pod).tree(), container


def _joined(session: Session, pod: Tree, container: str, flags: dict[str, Any]) -> None:
    """Attach once the container runs; show its log if it ended before that."""
    key = Key(pod["metadata"]["namespace"], pod["metadata"]["name"])
    live = wait_for(session, key, _started(container), RUNNING_SECONDS)
    if "terminated" in (_state(live, container) or {}):
        show_log(session, key, container)
    else:
        join(session, live, container, stdin=flags["stdin"], terminal=flags["tty"], quiet=flags["quiet"])


def _started(container: str) -> Callable[[Tree], bool]:
    return lambda pod: bool({"running", "terminated"} & set(_state(pod, container) or ()))


def _state(pod: Tree, container: str) -> Tree | None:
    fields = ("containerStatuses", "ephemeralContainerStatuses")
    statuses = [one for name in fields for one in (pod.get("status") or {}).get(name) or ()]
    return next((one.get("state") for one in statuses if one["name"] == container), None)
