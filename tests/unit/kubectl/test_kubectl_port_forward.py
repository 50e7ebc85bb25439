"""From [LOCAL:]REMOTE to the ports that are joined."""

import pytest

from kubectl.commands.port_forward import resolved
from kubectl.errors import CommandError
from kubectl.forwarding import Ports

POD = {
    "metadata": {"name": "p"},
    "spec": {
        "containers": [
            {"ports": [{"name": "web", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
            {"ports": [{"name": "tls", "containerPort": 8443}]},
        ]
    },
}
SERVICE = {
    "metadata": {"name": "s"},
    "spec": {
        "clusterIP": "10.96.0.9",
        "ports": [
            {"name": "http", "port": 80, "targetPort": "web"},
            {"name": "https", "port": 443, "targetPort": 8443},
            {"name": "same", "port": 9000},
            {"name": "dns", "port": 53, "protocol": "UDP"},
        ],
    },
}
HEADLESS = {"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "ports": [{"port": 80, "targetPort": 8080}]}}


@pytest.mark.parametrize(
    ("specification", "ports"),
    [
        ("5000", Ports(5000, 5000)),
        ("8888:5000", Ports(8888, 5000)),
        (":5000", Ports(0, 5000)),
        ("0:5000", Ports(0, 5000)),
        ("web", Ports(8080, 8080)),
        ("5000:tls", Ports(5000, 8443)),
    ],
)
def test_ports_of_a_pod(specification: str, ports: Ports) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/"""
    assert resolved(specification, POD, None) == ports


@pytest.mark.parametrize(
    ("specification", "service", "ports"),
    [
        ("80", SERVICE, Ports(80, 8080)),
        ("http", SERVICE, Ports(8080, 8080)),
        ("8443:https", SERVICE, Ports(8443, 8443)),
        (":9000", SERVICE, Ports(0, 9000)),
        ("80", HEADLESS, Ports(80, 80)),
    ],
)
def test_ports_of_a_service_are_those_of_its_pod(specification: str, service: dict[str, object], ports: Ports) -> None:
    """Rule: upstream pkg/cmd/portforward translateServicePortToTargetPort"""
    assert resolved(specification, POD, service) == ports


@pytest.mark.parametrize(
    ("specification", "service", "told"),
    [
        ("1:2:3", None, "invalid port format '1:2:3'"),
        ("80:", None, "invalid port format '80:'"),
        ("x:80", None, "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("0", None, "remote port must be > 0"),
        ("nope", None, "Pod 'p' does not have a named port 'nope'"),
        ("dns", None, "UDP protocol is not supported for dns"),
        ("81", SERVICE, "Service s does not have a service port 81"),
        ("nope", SERVICE, "Service 's' does not have a named port 'nope'"),
        ("53", SERVICE, "UDP protocol is not supported for 53"),
    ],
)
def test_what_cannot_be_forwarded_is_told(specification: str, service: dict[str, object] | None, told: str) -> None:
    with pytest.raises(CommandError) as error:
        resolved(specification, POD, service)
    assert str(error.value) == told
