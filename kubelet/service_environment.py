"""Service environment: `<SVC>_SERVICE_HOST` and its kin, for the services that exist before the container. Pure.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables · upstream pkg/kubelet/envvars
"""

from collections.abc import Iterable

from kube.api.types import Pod, Service

MASTER = ("default", "kubernetes")  # in every pod, whatever its namespace and enableServiceLinks


def service_environment(pod: Pod, services: Iterable[Service]) -> dict[str, str]:
    chosen: dict[str, Service] = {}
    for service in services:
        if service.spec.clusterIP in (None, "", "None"):
            continue
        namespace, name = service.metadata.namespace, service.metadata.name
        if (namespace, name) == MASTER:
            chosen.setdefault(name, service)
        elif namespace == pod.metadata.namespace and pod.spec.enableServiceLinks is not False:
            chosen[name] = service
    variables: dict[str, str] = {}
    for name in sorted(chosen):
        variables |= _variables(chosen[name])
    return variables


def _variables(service: Service) -> dict[str, str]:
    prefix = _variable_name(service.metadata.name)
    address = service.spec.clusterIP
    ports = service.spec.ports or []
    if not ports:
        return {}
    variables = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(ports[0].port)}
    for port in ports:
        if port.name:
            variables[f"{prefix}_SERVICE_PORT_{_variable_name(port.name)}"] = str(port.port)
    for index, port in enumerate(ports):
        protocol = port.protocol or "TCP"
        url = f"{protocol.lower()}://{_bracketed(address)}:{port.port}"
        if index == 0:
            variables[f"{prefix}_PORT"] = url
        link = f"{prefix}_PORT_{port.port}_{protocol}"
        variables |= {link: url, f"{link}_PROTO": protocol.lower(), f"{link}_PORT": str(port.port), f"{link}_ADDR": address}
    return variables


def _variable_name(name: str) -> str:
    return name.upper().replace("-", "_")


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
