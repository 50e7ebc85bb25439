"""What a lab consists of: its hosts, their names, addresses and places. Pure.

    <state>/node1   the control plane, and a node whose taint keeps ordinary pods away
    <state>/node2   a worker, and so on: each directory is one host's, as `deploy.cluster` lays it out

The hosts share a link, 198.19.0.0/24 (a range for tests, RFC 2544), and have no way out. The bridge has a namespace of its own: in
the machine's, the rules of a container engine there would meet its packets.
"""

import json
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path

from deploy.cluster import Cluster
from deploy.programs import Program

NETWORK = IPv4Network("198.19.0.0/24")
FIRST_ADDRESS = 11  # node1 is 198.19.0.11
MOST_NODES = 100
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane=:NoSchedule"
SETTINGS = "lab.json"


@dataclass(frozen=True)
class Lab:
    """Several hosts. `door_port` is where the machine itself reaches the API server, on 127.0.0.1."""

    state: Path = Path("/var/lib/skiff-lab")
    nodes: int = 3
    name: str = "skiff-lab"  # before the names of its namespaces; two labs must differ in it and in the port
    door_port: int = 16443
    disk: str = ""  # the size of each host's own disk; none: hosts share the machine's
    flags: tuple[str, ...] = ()  # PROGRAM:FLAG=VALUE, before what the lab gives a program itself

    @classmethod
    def known(cls, state: Path) -> "Lab | None":
        """The lab of a state directory; None where there is none."""
        try:
            saved = json.loads((state / SETTINGS).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return cls(state, **{**saved, "flags": tuple(saved.get("flags", ()))})

    def remember(self) -> None:
        settings = {name: value for name, value in asdict(self).items() if name != "state"}
        (self.state / SETTINGS).write_text(json.dumps(settings) + "\n")

    def with_flags(self, program: Program) -> Program:
        """The program with the flags that were asked for in place of its own."""
        given = dict(one.removeprefix(f"{program.name}:").split("=", 1) for one in self.flags if one.startswith(f"{program.name}:"))
        kept = (word for word in program.argv if word.removeprefix("--").partition("=")[0] not in given)
        return replace(program, argv=(*kept, *(f"--{name}={value}" for name, value in given.items())))

    @property
    def bridge_netns(self) -> str:
        return f"{self.name}-link"

    @property
    def outside_netns(self) -> str:
        """A name for the network that the lab was made in, in which its door listens."""
        return f"{self.name}-outside"

    @property
    def hosts(self) -> tuple[Cluster, ...]:
        """The control plane first."""
        return tuple(self._host(number) for number in range(1, self.nodes + 1))

    @property
    def control_plane(self) -> Cluster:
        return self._host(1)

    def host(self, name: str) -> Cluster | None:
        return next((host for host in self.hosts if host.node_name == name), None)

    @property
    def door(self) -> str:
        return f"https://127.0.0.1:{self.door_port}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, for use on the machine itself."""
        return self.state / "admin.conf"

    def _host(self, number: int) -> Cluster:
        name = f"node{number}"
        state = self.state / name
        return Cluster(
            state=state,
            node_name=name,
            node_ip=str(NETWORK[FIRST_ADDRESS + number - 1]),
            api_host=str(NETWORK[FIRST_ADDRESS]),
            cgroup_root=f"/{self.name}/{name}",
            docker_socket=state / "run" / "docker.sock",
            netns=f"{self.name}-{name}",
        )


def port_name(host: Cluster) -> str:
    """The host's end on the bridge: `lab-node2`."""
    return f"lab-{host.node_name}"
