"""One machine's cluster: up, down, purge, status, logs. The Makefile's targets of these names call this.

Up is a list of steps, each of which finds out whether it is done already; so a second run changes nothing, and a run after any
accident mends what is missing. A step that fails on a fresh start stops what this run started.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy import certs, demo, dns, host, metrics, preflight, ready
from deploy.cluster import DOCKER_SOCKET, SETTINGS, Cluster
from deploy.engine import Engine
from deploy.images import build
from deploy.programs import cleanup_commands, programs
from deploy.progress import Progress, StepFailed
from deploy.supervise import Supervisor, kill_leftovers

ENGINE_SECONDS = 30
STOPPED_BEFORE_PODS = ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager")

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, help=__doc__)

State = Annotated[Path, typer.Option("--state", envvar="STATE", help="Where everything is kept.")]
Socket = Annotated[Path, typer.Option("--docker-socket", envvar="DOCKER_SOCKET", help="The container engine's socket.")]
DEFAULT_STATE = Cluster().state


@app.command()
def up(
    state: State = DEFAULT_STATE,
    docker_socket: Socket = DOCKER_SOCKET,
    pod_cidr: Annotated[str, typer.Option(envvar="POD_CIDR")] = Cluster().pod_cidr,
    service_cidr: Annotated[str, typer.Option(envvar="SERVICE_CIDR")] = Cluster().service_cidr,
    cgroup_root: Annotated[str, typer.Option(help="Where pods' cgroups are made.")] = Cluster().cgroup_root,
    pod_logs: Annotated[str, typer.Option(envvar="POD_LOGS", help="Where pods' logs are; none: below the state.")] = "",
    show_demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Apply and fetch the demo.")] = True,
) -> None:
    """Bring the cluster up, prove that it serves, and say what to type next."""
    cluster = Cluster(
        state=state.resolve(),
        docker_socket=docker_socket,
        pod_cidr=pod_cidr,
        service_cidr=service_cidr,
        cgroup_root=cgroup_root,
        pod_log_dir=pod_logs,
    )
    started_at = time.monotonic()
    supervisor, engine = Supervisor(cluster), Engine(cluster.docker_socket)
    was_running = supervisor.running()
    _check(cluster, running=was_running, engine=engine)
    progress = Progress()
    try:
        _start(cluster, supervisor, engine, progress)
        _wait_until_ready(cluster, progress)
        pages = _demo(cluster, progress) if show_demo else {}
    except (StepFailed, OSError, RuntimeError, subprocess.CalledProcessError) as failure:
        if not isinstance(failure, StepFailed):
            print(f"  ✗ {failure}")
        if not was_running:
            print("  Stopping what was started. The programs' words are in", cluster.logs)
            _stop(cluster, Progress())
        raise typer.Exit(1) from None
    _tell(cluster, pages, time.monotonic() - started_at)
    _add_metrics(cluster)


@app.command()
def down(state: State = DEFAULT_STATE) -> None:
    """Stop all that `up` started and leave the host as it was; the data stays."""
    _stop(Cluster.known(state.resolve()), Progress())


@app.command()
def purge(state: State = DEFAULT_STATE) -> None:
    """Stop everything and remove the data, too."""
    cluster = Cluster.known(state.resolve())
    progress = Progress()
    _stop(cluster, progress)
    with progress.step("data removed"):
        _remove(cluster)


@app.command()
def status(state: State = DEFAULT_STATE) -> None:
    """The programs, the node and the pods."""
    cluster = Cluster.known(state.resolve())
    supervisor = Supervisor(cluster)
    if not supervisor.running():
        print("The cluster is down. `make up` starts it.")
        raise typer.Exit(1)
    for one in supervisor.processes():
        print(f"{one['name']:<26}{one['statename']:<10}{one['description']}")
    print()
    print(demo.kubectl(cluster, "get", "nodes", "-o", "wide", check=False))
    print(demo.kubectl(cluster, "get", "pods", "-A", check=False))


@app.command()
def logs(
    program: Annotated[str, typer.Argument(help="One program, or nothing for all.")] = "",
    state: State = DEFAULT_STATE,
    lines: Annotated[int, typer.Option("--lines", "-n")] = 40,
) -> None:
    """The last lines that the programs wrote."""
    directory = Cluster.known(state.resolve()).logs
    found = sorted(directory.glob(f"{program or '*'}.log"))
    if not found:
        print(f"no log of {program or 'any program'} in {directory}", file=sys.stderr)
        raise typer.Exit(1)
    for path in found:
        print(f"==> {path} <==")
        print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]), end="\n\n")


@app.command()
def kubeconfig(state: State = DEFAULT_STATE) -> None:
    """Print the path of the administrator's kubeconfig."""
    print(Cluster.known(state.resolve()).kubeconfig("admin"))


def _check(cluster: Cluster, *, running: bool, engine: Engine) -> None:
    if not running and cluster.state.exists():
        kill_leftovers(cluster)
    seen = preflight.observe(cluster, running=running, engine_answers=engine.answers())
    found = preflight.problems(cluster, seen)
    for problem in found:
        print(f"  ✗ {problem}", file=sys.stderr)
    if found:
        raise typer.Exit(1)


def _start(cluster: Cluster, supervisor: Supervisor, engine: Engine, progress: Progress) -> None:
    own_engine = (cluster.state / "docker").exists() or not engine.answers()
    missing = host.missing_packages(engine_answers=not own_engine)
    if missing:
        with progress.step("packages installed") as note:
            note.text = " ".join(missing)
            host.install(missing)
    preflight.secure_state(cluster.state)
    cluster.remember()
    for directory in (cluster.run, cluster.logs, cluster.manifests):
        directory.mkdir(mode=0o700, exist_ok=True)
    with progress.step("certificates") as note:
        made = certs.make_certificates(cluster)
        note.text = f"{len(made)} made" if made else "kept"
    with progress.step("host network"):
        host.prepare_network(cluster)
    with progress.step("programs started") as note:
        wanted = programs(cluster, own_engine=own_engine)
        note.text = "" if supervisor.start(wanted) else "running already"
    with progress.step("container engine answers"):
        wait(engine.answers, "Docker does not answer", "`make logs P=dockerd`")
    with progress.step("images loaded") as note:
        note.text = f"{load_images(engine)} new"


def load_images(engine: Engine) -> int:
    """Those that a cluster needs and the engine has not; returns how many."""
    loaded = dns.load_image(engine)
    tags = (build.PAUSE, *build.BUSYBOX_TAGS, *build.WEB_TAGS)
    if all(engine.has_image(tag) for tag in tags):
        return loaded
    archives = build.all_archives()
    for archive in archives:
        engine.load(archive)
    return loaded + len(archives)


def _wait_until_ready(cluster: Cluster, progress: Progress) -> None:
    with progress.step("API server ready"):
        ready.wait_for_api_server(cluster)
    with progress.step("node ready"):
        ready.wait_for_node(cluster)
    with progress.step("cluster DNS available") as note:
        note.text = "" if dns.apply(cluster) else "running already"
        dns.wait_until_available(cluster)


def _add_metrics(cluster: Cluster) -> None:
    """What a cluster can do without comes when it is up already; a failure leaves it up."""
    try:
        metrics.apply(cluster)
    except StepFailed as failure:
        print(f"  metrics-server is not applied, `kubectl top` will not answer: {failure}", file=sys.stderr)


def _demo(cluster: Cluster, progress: Progress) -> dict[str, str]:
    with progress.step("demo applied"):
        demo.apply(cluster)
    with progress.step("three web pods available"):
        demo.wait_for_rollout(cluster)
    with progress.step("page fetched"):
        return demo.fetch_pages(cluster)


def _tell(cluster: Cluster, pages: dict[str, str], seconds: float) -> None:
    for way, page in pages.items():
        print(f"\n  {way}\n    {page}")
    print(f"\nThe cluster is up ({seconds:.1f} s). Its kubeconfig: {cluster.kubeconfig('admin')}")
    print("Next:")
    print(f"  export KUBECONFIG={cluster.kubeconfig('admin')}")
    print(f"  export PATH={Path(sys.executable).parent}:$PATH")
    print("  kubectl get pods -o wide")
    print("  kubectl scale deployment web --replicas=5")
    print("  make status · make logs · make down")


def _stop(cluster: Cluster, progress: Progress) -> None:
    """The programs that would undo the clean-up first, then pods, then rules, then the rest."""
    supervisor, engine = Supervisor(cluster), Engine(cluster.docker_socket)
    if supervisor.running():
        with progress.step("control stopped"):
            for name in STOPPED_BEFORE_PODS:
                supervisor.stop_program(name)
    if engine.answers():
        with progress.step("pods removed") as note:
            note.text = f"{engine.remove_pods()} containers"
    with progress.step("network rules removed") as note:
        note.text = "; ".join(filter(None, map(_clean, cleanup_commands(cluster))))
    if supervisor.running():
        with progress.step("programs stopped"):
            supervisor.stop()
    with progress.step("host restored"):
        kill_leftovers(cluster)
        host.unmount_below(cluster.state)
        shutil.rmtree(cluster.run, ignore_errors=True)
        host.restore_network(cluster)


def _clean(command: list[str]) -> str:
    """Run a clean-up; what went wrong is told, and the rest goes on: nothing may stay running for it."""
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{command[2]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"


def _remove(cluster: Cluster) -> None:
    """Only what a cluster put there: a directory given by mistake keeps its other files."""
    for name in ("pki", "kubeconfig", "etcd", "kubelet", "docker", "logs", "manifests", "run"):
        shutil.rmtree(cluster.state / name, ignore_errors=True)
    cluster.supervisor_config.unlink(missing_ok=True)
    (cluster.state / SETTINGS).unlink(missing_ok=True)
    if cluster.state.exists() and not any(cluster.state.iterdir()):
        cluster.state.rmdir()


def wait(done: Callable[[], bool], otherwise: str, remedy: str) -> None:
    """Raises StepFailed where it is not so within ENGINE_SECONDS."""
    deadline = time.monotonic() + ENGINE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise StepFailed(f"{otherwise} within {ENGINE_SECONDS} s", remedy)
        time.sleep(0.1)


if __name__ == "__main__":
    app()
