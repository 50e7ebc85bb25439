"""describe service and endpoints.

kubernetes/kubectl pkg/describe/describe.go describeService, formatEndpointSlices
"""

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import annotations, events, labels, selector_text

SHOWN = 3  # addresses of a port, before "+ N more..."


def describe(tree: Tree, around: Around) -> str:
    metadata, spec, status = tree["metadata"], tree["spec"], tree.get("status") or {}
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Selector:\t{selector_text(spec.get('selector')) or '<none>'}\nType:\t{spec.get('type', '')}\n"
    text += f"IP Family Policy:\t{spec['ipFamilyPolicy']}\n" if spec.get("ipFamilyPolicy") else ""
    text += f"IP Families:\t{','.join(spec['ipFamilies'])}\n" if spec.get("ipFamilies") else "IP Families:\t<none>\n"
    text += f"IP:\t{spec.get('clusterIP', '')}\n"
    text += f"IPs:\t{','.join(spec['clusterIPs'])}\n" if spec.get("clusterIPs") else "IPs:\t<none>\n"
    if spec.get("externalIPs"):
        text += f"External IPs:\t{','.join(spec['externalIPs'])}\n"
    if spec.get("loadBalancerIP"):
        text += f"Desired LoadBalancer IP:\t{spec['loadBalancerIP']}\n"
    text += f"External Name:\t{spec['externalName']}\n" if spec.get("externalName") else ""
    ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
    if ingress:
        text += f"LoadBalancer Ingress:\t{', '.join(_ingress(one) for one in ingress)}\n"
    for port in spec.get("ports") or ():
        text += _port(port, around.slices)
    text += f"Session Affinity:\t{spec.get('sessionAffinity', '')}\n"
    if spec.get("externalTrafficPolicy"):
        text += f"External Traffic Policy:\t{spec['externalTrafficPolicy']}\n"
    if spec.get("internalTrafficPolicy"):
        text += f"Internal Traffic Policy:\t{spec['internalTrafficPolicy']}\n"
    if spec.get("healthCheckNodePort"):
        text += f"HealthCheck NodePort:\t{spec['healthCheckNodePort']}\n"
    if spec.get("loadBalancerSourceRanges"):
        text += f"LoadBalancer Source Ranges:\t{','.join(spec['loadBalancerSourceRanges'])}\n"
    return text + events(around.events, around.now)


def _ingress(one: Tree) -> str:
    return f"{one.get('ip') or one.get('hostname') or ''}{' (' + one['ipMode'] + ')' if one.get('ipMode') else ''}"


def _port(port: Tree, slices: list[Tree]) -> str:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    text = f"Port:\t{name}\t{port['port']}/{protocol}\n"
    text += f"TargetPort:\t{port.get('targetPort', port['port'])}/{protocol}\n"
    if port.get("nodePort"):
        text += f"NodePort:\t{name}\t{port['nodePort']}/{protocol}\n"
    return text + f"Endpoints:\t{addresses(slices, port.get('name') or '')}\n"


def addresses(slices: list[Tree], name: str) -> str:
    """The ready endpoints of one port, at most three."""
    found = []
    for one in slices:
        for port in one.get("ports") or ():
            if (port.get("name") or "") != name:
                continue
            for endpoint in one.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is False:
                    continue
                for address in endpoint.get("addresses") or ():
                    shown = f"[{address}]" if ":" in address else address
                    found.append(f"{shown}:{port['port']}" if port.get("port") else shown)
    if not slices:
        return "<none>"
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more


def endpoints(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations")) + "Subsets:\n"
    for subset in tree.get("subsets") or ():
        for title, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            text += f"  {title}:\t{','.join(one['ip'] for one in subset.get(field) or ()) or '<none>'}\n"
        if subset.get("ports"):
            text += "  Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------\n"
            text += "".join(
                f"    {one.get('name') or '<unset>'}\t{one['port']}\t{one.get('protocol', 'TCP')}\n" for one in subset["ports"]
            )
        text += "\n"
    return text + events(around.events, around.now)
