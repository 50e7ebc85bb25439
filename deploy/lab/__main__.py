"""lab: several hosts on one machine. `make lab NODES=3`, `make lab-down`; then `lab exec node2 -- CMD`, `lab kill node2`, ..."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
import yaml

from deploy import certs, dns, host, metrics, preflight, ready
from deploy.cluster import Cluster
from deploy.demo import kubectl
from deploy.engine import Engine
from deploy.lab import disk as disks
from deploy.lab import network, power, turn
from deploy.lab.plan import CONTROL_PLANE_TAINT, MOST_NODES, Lab
from deploy.local import load_images
from deploy.local import wait as wait_for
from deploy.programs import Program, control_plane_programs, entering, node_programs
from deploy.progress import Progress, StepFailed
from deploy.supervise import Supervisor

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, help=__doc__)

Purge = Annotated[bool, typer.Option("--purge", help="Remove the data, too.")]
State = Annotated[Path, typer.Option("--state", envvar="LAB_STATE", help="Where everything is kept.")]
Node = Annotated[str, typer.Argument(metavar="NODE", help="node1 is the control plane.")]
DEFAULTS = Lab()
CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane="  # a kubelet may not give itself this label (NodeRestriction)


@app.command()
def up(
    state: State = DEFAULTS.state,
    nodes: Annotated[int, typer.Option("--nodes", min=1, max=MOST_NODES, help="How many hosts.")] = DEFAULTS.nodes,
    name: Annotated[str, typer.Option(help="Before the names of its namespaces.")] = DEFAULTS.name,
    door_port: Annotated[int, typer.Option(help="The API server's port on this machine's loopback.")] = DEFAULTS.door_port,
    disk: Annotated[str, typer.Option(help="Give each host a disk of its own, of this size (2G).")] = DEFAULTS.disk,
    flag: Annotated[list[str] | None, typer.Option(help="PROGRAM:FLAG=VALUE, on every host; may be repeated.")] = None,
) -> None:
    """Make the hosts and start a cluster on them. Run again, it starts what is not running."""
    lab = Lab(state.resolve(), nodes, name, door_port, disk, tuple(flag or ()))
    if os.geteuid() != 0:
        print("not root: a lab makes network namespaces; run `sudo make lab`", file=sys.stderr)
        raise typer.Exit(1)
    with turn.taken(lab.state, alone=True, make=True):
        _up_alone(lab)


def _up_alone(lab: Lab) -> None:
    before = Lab.known(lab.state)
    if before is not None and before != lab and power.processes(before.control_plane):
        print(f"a lab of {before.nodes} nodes is up; `make lab-down` first", file=sys.stderr)
        raise typer.Exit(1)
    if not power.processes(lab.control_plane) and preflight.port_taken(lab.door_port):
        print(f"{preflight.taken_by_another(lab.door_port, 'the door')}, or give another --door-port", file=sys.stderr)
        raise typer.Exit(1)
    started = time.monotonic()
    try:
        _up(lab, Progress())
    except (StepFailed, OSError, RuntimeError, subprocess.CalledProcessError) as failure:
        if not isinstance(failure, StepFailed):
            print(f"  ✗ {failure}")
        print("  The programs' words are in", ", ".join(str(one.logs) for one in lab.hosts))
        raise typer.Exit(1) from None
    print(f"\nThe lab is up ({time.monotonic() - started:.1f} s). Next:")
    print(f"  export KUBECONFIG={lab.kubeconfig}\n  export PATH={Path(sys.executable).parent}:$PATH")
    print("  kubectl get nodes -o wide\n  lab exec node2 -- ip route")
    print("  lab kill node2 · lab start node2 · lab cut node2 node3 · lab heal")


@app.command()
def down(state: State = DEFAULTS.state, purge: Purge = False) -> None:
    """Switch all hosts off and leave the machine as it was; what was in their memory is gone, as when a plug is pulled."""
    with turn.taken(state.resolve(), alone=True):
        lab = Lab.known(state.resolve())
        if lab is not None:
            _down(lab, purge)


def _down(lab: Lab, purge: bool) -> None:
    progress = Progress()
    with progress.step("hosts stopped") as note, ThreadPoolExecutor() as pool:
        note.text = f"{sum(pool.map(power.off, lab.hosts))} processes"
    for netns in (lab.bridge_netns, lab.outside_netns):
        network.remove(netns)
    power.remove_cgroups(lab.name)
    if purge:
        with progress.step("data removed"):
            for one in lab.hosts:
                disks.remove(one)
                shutil.rmtree(one.state, ignore_errors=True)
            for file in (lab.kubeconfig, lab.state / "lab.json"):
                file.unlink(missing_ok=True)
            lab.state.rmdir()


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(node: Node, command: Annotated[list[str], typer.Argument(metavar="-- CMD")], state: State = DEFAULTS.state) -> None:
    """Run a command in a host's network, with its kubeconfig and its engine's socket."""
    _lab, one = _found(state, node)
    os.environ |= power.environment(one)
    os.execvp("nsenter", [*entering(one), *command])


@app.command()
def kill(node: Node, state: State = DEFAULTS.state) -> None:
    """Pull the plug: every process of the host dies at once."""
    with turn.taken(state.resolve(), alone=False):
        _lab, one = _found(state, node)
        print(f"{node}: {power.off(one)} processes killed")


@app.command()
def start(node: Node, state: State = DEFAULTS.state) -> None:
    """Switch a killed host on again."""
    with turn.taken(state.resolve(), alone=False):
        lab, one = _found(state, node)
        _start(lab, one)


@app.command()
def cut(node: Node, other: Annotated[str, typer.Argument(metavar="NODE")], state: State = DEFAULTS.state) -> None:
    """No packet passes between these two any more."""
    with turn.taken(state.resolve(), alone=False):
        lab, one = _found(state, node)
        network.cut(lab, one, _found(state, other)[1])


@app.command()
def heal(state: State = DEFAULTS.state) -> None:
    """Mend all cuts."""
    with turn.taken(state.resolve(), alone=False):
        network.heal(_known(state))


@app.command()
def status(state: State = DEFAULTS.state) -> None:
    """The programs of each host."""
    for one in _known(state).hosts:
        supervisor = Supervisor(one)
        print(f"{one.node_name}  {one.node_ip}" if supervisor.running() else f"{one.node_name}  off")
        for program in supervisor.processes() if supervisor.running() else ():
            print(f"  {program['name']:<26}{program['statename']:<10}{program['description']}")


@app.command()
def kubeconfig(state: State = DEFAULTS.state) -> None:
    """Print the path of the administrator's kubeconfig."""
    print(Lab(state.resolve()).kubeconfig)


def _up(lab: Lab, progress: Progress) -> None:
    missing = host.missing_packages(engine_answers=False)
    if missing:
        with progress.step("packages installed") as note:
            note.text = " ".join(missing)
            host.install(missing)
    preflight.secure_state(lab.state)
    lab.remember()
    with progress.step("network"):
        network.add_bridge(lab)
    for one in lab.hosts:
        disks.attach(one, lab.disk)
    with progress.step("certificates"):
        certs.make_certificates(lab.control_plane)
        for worker in lab.hosts[1:]:
            certs.make_node_certificates(worker, lab.control_plane)
        _write_kubeconfig(lab)
    with progress.step("hosts started") as note, ThreadPoolExecutor() as pool:
        changed = sum(pool.map(lambda one: _start(lab, one), lab.hosts))
        note.text = f"{changed} of {lab.nodes}" if changed else "running already"
    with progress.step("API server ready"):
        ready.wait_for_api_server(lab.control_plane, lab.door)
    for one in lab.hosts:
        with progress.step(f"{one.node_name} ready"):
            ready.wait_for_node(one, lab.kubeconfig)
    kubectl(
        lab.control_plane, "label", "node", lab.control_plane.node_name, CONTROL_PLANE_ROLE, "--overwrite", config=lab.kubeconfig
    )
    with progress.step("cluster DNS available") as note:
        note.text = "" if dns.apply(lab.control_plane, nodes=lab.nodes, config=lab.kubeconfig) else "running already"
        dns.wait_until_available(lab.control_plane, config=lab.kubeconfig)
    with progress.step("metrics-server applied") as note:
        note.text = "" if metrics.apply(lab.control_plane, config=lab.kubeconfig) else "running already"


def _start(lab: Lab, one: Cluster) -> bool:
    """Switch a host on, run its programs, load the images into its engine; whether anything had to be started."""
    power.on(lab, one)
    for directory in (one.logs, one.manifests):
        directory.mkdir(mode=0o700, exist_ok=True)
    changed = Supervisor(one).start([lab.with_flags(program) for program in _programs(lab, one)])
    engine = Engine(one.docker_socket)
    wait_for(engine.answers, f"{one.node_name}'s engine does not answer", f"read {one.logs}/dockerd.log")
    load_images(engine)
    engine.close()
    return changed


def _programs(lab: Lab, one: Cluster) -> list[Program]:
    if one != lab.control_plane:
        return node_programs(one, own_engine=True)
    door = (
        "nsenter", f"--net={network.NAMESPACES / lab.outside_netns}", sys.executable, "-m", "deploy.lab.door", str(lab.door_port),
        str(network.NAMESPACES / one.netns), one.api_host, str(one.api_port),
    )  # fmt: skip
    node = node_programs(one, own_engine=True, taints=CONTROL_PLANE_TAINT)
    return [*control_plane_programs(one), *node, Program("door", door, 20)]


def _write_kubeconfig(lab: Lab) -> None:
    """The administrator's, by the door."""
    config = yaml.safe_load(lab.control_plane.kubeconfig("admin").read_text())
    config["clusters"][0]["cluster"]["server"] = lab.door
    lab.kubeconfig.touch(mode=0o600)
    lab.kubeconfig.write_text(yaml.safe_dump(config, sort_keys=False))


def _known(state: Path) -> Lab:
    lab = Lab.known(state.resolve())
    if lab is None:
        print("There is no lab. `make lab` makes one.", file=sys.stderr)
        raise typer.Exit(1)
    return lab


def _found(state: Path, node: str) -> tuple[Lab, Cluster]:
    lab = _known(state)
    one = lab.host(node)
    if one is None:
        print(f"there is no {node}: {', '.join(each.node_name for each in lab.hosts)}", file=sys.stderr)
        raise typer.Exit(1)
    return lab, one


if __name__ == "__main__":
    app()
