"""Pod endpoint: which pods of a service take its traffic, and at which ports. Pure.

https://kubernetes.io/docs/concepts/services-networking/service/ · staging/src/k8s.io/endpointslice/util
"""

import ipaddress
from collections.abc import Iterable

from controller_manager.pod_state import terminal
from kube.api.labels import from_map
from kube.api.meta import Key, Tree, key_of
from kube.api.types import Pod, Service, ServicePort
from kube.client.cache import Cache


def selecting(service: Service) -> bool:
    """Whether its endpoints follow from its selector; else whoever made the service writes them."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def services_of(pod: Pod, services: Cache[Service]) -> list[Key]:
    """The services that select the pod."""
    return [
        key_of(service)
        for service in services.list(pod.metadata.namespace)
        if selecting(service) and from_map(service.spec.selector).matches(pod.metadata.labels)
    ]


def takes_part(pod: Pod, *, terminating: bool) -> bool:
    """A pod with an address that has not ended; `terminating`: also one that is being deleted."""
    if terminal(pod) or not addresses(pod):
        return False
    return terminating or pod.metadata.deletionTimestamp is None


def addresses(pod: Pod) -> list[str]:
    found = [one.ip for one in pod.status.podIPs or () if one.ip]
    return found or ([pod.status.podIP] if pod.status.podIP else [])


def address(pod: Pod, family: str) -> str:
    """The pod's address of a family, IPv4 or IPv6; empty where it has none."""
    return next((one for one in addresses(pod) if family_of(one) == family), "")


def family_of(text: str) -> str:
    return f"IPv{ipaddress.ip_address(text).version}"


def families(service: Service) -> list[str]:
    """Of a service's endpoints; a service that does not say takes its address's, or IPv4."""
    if service.spec.ipFamilies:
        return list(service.spec.ipFamilies)
    ip = service.spec.clusterIP
    return [family_of(ip)] if ip and ip != "None" else ["IPv4"]


def ports(service: Service, pod: Pod) -> list[Tree]:
    """The service's ports as this pod serves them; one that the pod does not name is left out."""
    found = []
    for one in service.spec.ports or ():
        number = port_number(one, pod)
        if number is None:
            continue
        port: Tree = {"name": one.name or "", "port": number, "protocol": one.protocol or "TCP"}
        if one.appProtocol:
            port["appProtocol"] = one.appProtocol
        found.append(port)
    return found


def port_number(port: ServicePort, pod: Pod) -> int | None:
    """The targetPort as a number; a name is looked up among the container ports of the same protocol."""
    target = port.targetPort if port.targetPort is not None else port.port
    if isinstance(target, int):
        return target if target > 0 else port.port
    sidecars = (one for one in pod.spec.initContainers or () if one.restartPolicy == "Always")
    for container in (*pod.spec.containers, *sidecars):
        for offered in container.ports or ():
            if offered.name == target and (offered.protocol or "TCP") == (port.protocol or "TCP"):
                return int(offered.containerPort)
    return None


def reference(pod: Pod) -> Tree:
    metadata = pod.metadata
    return {"kind": "Pod", "namespace": metadata.namespace, "name": metadata.name, "uid": metadata.uid}


def host_name(service: Service, pod: Pod) -> str:
    """The name that DNS gives the pod below the service; empty where it asks for none."""
    wanted = pod.spec.hostname and pod.spec.subdomain == service.metadata.name
    return str(pod.spec.hostname) if wanted and pod.metadata.namespace == service.metadata.namespace else ""


def changed_labels(have: dict[str, str] | None, wanted: dict[str, str], reserved: Iterable[str]) -> Tree:
    """A merge patch for labels that follow another object's: what is not wanted any more goes."""
    known = dict(have or {})
    gone = {key: None for key in known if key not in wanted and key not in set(reserved)}
    return gone | {key: value for key, value in wanted.items() if known.get(key) != value}
