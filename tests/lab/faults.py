"""What the tests of faults share: the programs and containers of a host, and a client that asks a Service without a pause."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.supervise import Supervisor
from tests.lab.conftest import Lab
from tests.wait import eventually_sync

# Ask a web server over and over, each time by a new connection, until there is nothing more to read: how many answers, and the
# times (seconds since the start) of those that did not come.
ASK = """
import json, select, socket, sys, time
print("begun", flush=True)
address, start, told, lost = (sys.argv[1], int(sys.argv[2])), time.monotonic(), 0, []
while not select.select([sys.stdin], [], [], 0.01)[0]:
    asked = time.monotonic()
    try:
        with socket.create_connection(address, timeout=2) as asker:
            asker.settimeout(2)
            asker.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            answered = asker.recv(12)[9:12] == b"200"
    except OSError:
        answered = False
    told += answered
    if not answered:
        lost.append(round(asked - start, 2))
print(json.dumps([told, lost, round(time.monotonic() - start, 2)]))
"""


@dataclass
class Asked:
    """What became of the questions; filled in at the end."""

    told: int = 0
    lost: list[float] = field(default_factory=list)  # when these were asked
    seconds: float = 0.0

    @property
    def lost_for(self) -> float:
        """From the first loss to the last."""
        return self.lost[-1] - self.lost[0] if self.lost else 0.0


@contextmanager
def asking(lab: Lab, node: str, address: str, port: int = 80) -> Iterator[Asked]:
    """Ask from a host for as long as the block takes."""
    command = [*lab.entering(node), sys.executable, "-c", ASK, address, str(port)]
    asked = Asked()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "begun\n"
        try:
            yield asked
        finally:
            printed, _ = asker.communicate("", timeout=30)
    asked.told, asked.lost, asked.seconds = json.loads(printed)


def pid(lab: Lab, node: str, program: str) -> int:
    """Of a program that its host's supervisor runs; 0: it does not run."""
    found = Supervisor(lab.host(node)).processes()
    return int(next(one["pid"] for one in found if one["name"] == program))


def kill_program(lab: Lab, node: str, program: str, within: float) -> None:
    """kill -9, and wait for the next one."""
    before = pid(lab, node, program)
    os.kill(before, signal.SIGKILL)
    eventually_sync(lambda: pid(lab, node, program) not in (0, before), within, f"{program} of {node} runs again")


def containers(lab: Lab, node: str, *filters: str) -> list[dict[str, Any]]:
    """The engine's records of the containers that run on a host; `filters` as `docker ps --filter` has them."""
    ids = lab.on(node, "docker", "ps", "--quiet", *(f"--filter={one}" for one in filters)).stdout.split()
    found: list[dict[str, Any]] = json.loads(lab.on(node, "docker", "inspect", *ids).stdout) if ids else []
    return found


def container(lab: Lab, node: str, pod: str, name: str) -> dict[str, Any]:
    """A pod's container that runs; "POD" is the one that holds its network."""
    labels = (f"label=io.kubernetes.pod.name={pod}", f"label=io.kubernetes.container.name={name}")
    (found,) = containers(lab, node, *labels)
    return found


def processor_seconds(process: int) -> float:
    """What a process has used so far, in user and kernel."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def web(name: str, replicas: int, pod: dict[str, Any], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Deployment of web servers and the Service before it. `pod`: fields of the pods' spec."""
    server = {
        "name": "web", "image": "nginx:alpine", "imagePullPolicy": "Never", "ports": [{"containerPort": 80}],
        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 2}}},  # it answers until every node has heard that it goes
    }  # fmt: skip
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 4, "containers": [server | more], **pod},
    }
    about = {"name": name}
    chosen = {"matchLabels": {"app": name}}
    deployment = {"replicas": replicas, "selector": chosen, "template": template}
    service = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return (
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": service},
    )


def on_node(node: str) -> dict[str, Any]:
    """A pod's nodeSelector for one host."""
    return {"nodeSelector": {"kubernetes.io/hostname": node}}


def memory_mib(process: int) -> float:
    """What belongs to a process, shared pages by their share."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
