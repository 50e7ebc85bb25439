"""kubectl logs: what containers wrote.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_logs/
"""

import re
import sys
import threading
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kube.api.status import ApiError, NotFound
from kubectl import options
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.pods import POD, container_of, pods_of
from kubectl.selection import Query
from kubectl.session import Session
from kubectl.transport import Unreachable

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EXPECTED = (
    "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command"
)
SELECTED_TAIL = 10  # lines of each, where pods were chosen by a selector
CHUNK_BYTES = 1 << 16
DEFAULT_REQUESTS = 5
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)")


@dataclass(frozen=True)
class Source:
    """One container's log."""

    pod: Tree
    container: str

    @property
    def path(self) -> str:
        return POD.path(self.pod["metadata"]["namespace"], self.pod["metadata"]["name"], "log")

    @property
    def prefix(self) -> str:
        return f"[pod/{self.pod['metadata']['name']}/{self.container}] "


Follow = Annotated[bool, typer.Option("--follow", "-f", help="Specify if the logs should be streamed.")]
Previous = Annotated[
    bool,
    typer.Option(
        "--previous", "-p", help="If true, print the logs for the previous instance of the container in a pod if it exists."
    ),
]
Container = Annotated[str, typer.Option("--container", "-c", help="Print the logs of this container")]
AllContainers = Annotated[bool, typer.Option("--all-containers", help="Get all containers' logs in the pod(s).")]
AllPods = Annotated[bool, typer.Option("--all-pods", help="Get logs from all pod(s). Sets prefix to true.")]
SkipVerification = Annotated[
    bool,
    typer.Option(
        "--insecure-skip-tls-verify-backend",
        help="Skip verifying the identity of the kubelet that logs are requested from.  In theory, an attacker could provide "
        "invalid log content back. You might want to use this if your kubelet serving certificates have expired.",
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--since",
        metavar=options.DURATION,
        help="Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs. Only one of "
        "since-time / since may be used.",
    ),
]
SinceTime = Annotated[
    str,
    typer.Option(
        "--since-time",
        help="Only return logs after a specific date (RFC3339). Defaults to all logs. Only one of since-time / since may be used.",
    ),
]
Tail = Annotated[
    int,
    typer.Option(
        "--tail",
        help="Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10, if a "
        "selector is provided.",
    ),
]
Timestamps = Annotated[bool, typer.Option("--timestamps", help="Include timestamps on each line in the log output")]
LimitBytes = Annotated[int, typer.Option("--limit-bytes", help="Maximum bytes of logs to return. Defaults to no limit.")]
Prefix = Annotated[
    bool,
    typer.Option("--prefix", help="Prefix each log line with the log source (pod name and container name)"),
]
IgnoreErrors = Annotated[
    bool,
    typer.Option("--ignore-errors", help="If watching / following pod logs, allow for any errors that occur to be non-fatal"),
]
MaxLogRequests = Annotated[
    int,
    typer.Option(
        "--max-log-requests",
        help="Specify maximum number of concurrent logs to follow when using by a selector. Defaults to 5.",
    ),
]


@app.command(epilog="kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]")
def logs(
    context: typer.Context,
    follow: Follow = False,
    previous: Previous = False,
    container: Container = "",
    all_containers: AllContainers = False,
    all_pods: AllPods = False,
    insecure_skip_tls_verify_backend: SkipVerification = False,
    since: Since = "0s",
    since_time: SinceTime = "",
    tail: Tail = -1,
    timestamps: Timestamps = False,
    limit_bytes: LimitBytes = 0,
    prefix: Prefix = False,
    selector: options.Selector = "",
    ignore_errors: IgnoreErrors = False,
    max_log_requests: MaxLogRequests = DEFAULT_REQUESTS,
) -> None:
    """Print the logs for a container in a pod or specified resource. If the pod has only one container, the container name is
    optional.

    Examples:
      # Return snapshot logs from pod nginx with only one container
      kubectl logs nginx

      # Begin streaming the logs from all containers in pods defined by label app=nginx
      kubectl logs -f -l app=nginx --all-containers=true
    """
    session: Session = context.obj
    args = session.args
    _check(args, context.params)
    if len(args) == 2 and not container:
        container = args[1]
    params = _params(session, context.params)
    prefix = prefix or all_pods
    pods = _selected(session, selector) if selector else _named(session, args[0], all_pods)
    sources = [
        Source(pod, name) for pod in pods for name in _containers(session, pod, container, every=all_containers, quiet=all_pods)
    ]
    if follow and len(sources) > max_log_requests:
        raise CommandError(
            f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {max_log_requests}, "
            "use --max-log-requests to increase the limit"
        )
    if follow and len(sources) > 1:
        return _together(session, sources, params, prefix, ignore_errors)
    for source in sources:
        _print(session, source, params, source.prefix if prefix else "", ignore_errors)
    return None


def _check(args: list[str], flags: dict[str, Any]) -> None:
    """Raises UsageError, CommandError for what does not go together, and for numbers and times that nothing can mean."""
    if not (args or flags["selector"]) or len(args) > 2:
        raise UsageError(EXPECTED)
    if args and flags["selector"]:
        raise UsageError("only a selector (-l) or a POD name is allowed")
    if flags["since_time"] and flags["since"] != "0s":
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if flags["tail"] < -1:
        raise CommandError("--tail must be greater than or equal to -1")
    if flags["limit_bytes"] < 0:
        raise CommandError("--limit-bytes must be greater than 0")
    if flags["since_time"] and not RFC3339.fullmatch(flags["since_time"]):
        text = flags["since_time"]
        raise CommandError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"')


def _params(session: Session, flags: dict[str, Any]) -> dict[str, str | int | None]:
    """What is asked of the server."""
    lines = SELECTED_TAIL if flags["selector"] and flags["tail"] == -1 and "tail" not in session.flags else flags["tail"]
    return {
        "follow": "true" if flags["follow"] else None,
        "previous": "true" if flags["previous"] else None,
        "sinceSeconds": int(parse_go(flags["since"])) or None,
        "sinceTime": flags["since_time"] or None,
        "timestamps": "true" if flags["timestamps"] else None,
        "tailLines": lines if lines >= 0 else None,
        "limitBytes": flags["limit_bytes"] or None,
        "insecureSkipTLSVerifyBackend": "true" if flags["insecure_skip_tls_verify_backend"] else None,
    }


def _selected(session: Session, selector: str) -> list[Tree]:
    """The pods that labels choose."""
    pods = [item.tree for item in session.items(Query(["pods"], selector=selector))]
    if not pods:
        session.tell(f"No resources found in {session.namespace} namespace.")
    return pods


def _named(session: Session, word: str, every: bool) -> list[Tree]:
    """The pod of that name; of a workload its most useful one, or all of them."""
    try:
        (item,) = session.items(Query([word if "/" in word else f"pods/{word}"]))
    except NotFound as error:
        raise CommandError(f'error from server (NotFound): {error.message} in namespace "{session.namespace}"') from error
    pods = pods_of(session, item, "get the logs from")
    if every:
        return pods
    if len(pods) > 1:
        session.tell(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}")
    return pods[:1]


def _containers(session: Session, pod: Tree, name: str, *, every: bool, quiet: bool) -> list[str]:
    if every:
        return [one["name"] for field in ("initContainers", "containers") for one in pod["spec"].get(field) or ()]
    return [container_of(session, pod, name, quiet=quiet)]


def _print(session: Session, source: Source, params: dict[str, str | int | None], prefix: str, ignore_errors: bool = False) -> None:
    """Copy one log to stdout as it comes; with a prefix, whole lines. An error that is not to end the rest stands among them."""
    try:
        with session.server.stream("GET", source.path, params={**params, "container": source.container}) as answer:
            while data := (answer.readline() if prefix else answer.read1(CHUNK_BYTES)):
                sys.stdout.buffer.write(prefix.encode() + data)
                sys.stdout.buffer.flush()
    except ApiError as error:
        if not ignore_errors:
            raise
        sys.stdout.buffer.write(f"error: {error.message}\n".encode())


def _together(
    session: Session, sources: list[Source], params: dict[str, str | int | None], prefix: bool, ignore_errors: bool
) -> None:
    """Follow several logs at once; the first failure is told when all have ended."""
    errors: list[Exception] = []

    def one(source: Source) -> None:
        try:
            _print(session, source, params, source.prefix if prefix else "", ignore_errors)
        except (ApiError, Unreachable) as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(source,), daemon=True) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
