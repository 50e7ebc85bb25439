"""describe ingress, ingressclass, endpointslice.

kubernetes/kubectl pkg/describe/describe.go describeIngressV1, describeEndpointSliceV1
"""

from collections.abc import Iterator

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.service import addresses
from kubectl.describe.words import annotations, events, labels, table

SERVICE = "kubernetes.io/service-name"


def ingress(tree: Tree, around: Around) -> str:
    metadata, spec = tree["metadata"], tree["spec"]
    shown = [
        one.get("ip") or one.get("hostname") or ""
        for one in ((tree.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    ]
    text = f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels"))
    text += f"Namespace:\t{metadata['namespace']}\nAddress:\t{','.join(shown)}\n"
    text += f"Ingress Class:\t{spec.get('ingressClassName') or '<none>'}\n"
    default = spec.get("defaultBackend")
    text += f"Default backend:\t{_backend(default, around) if default else '<default>'}\n"
    if spec.get("tls"):
        text += "TLS:\n"
        for one in spec["tls"]:
            named = f"{one['secretName']} terminates" if one.get("secretName") else "SNI routes"
            text += f"  {named} {','.join(one.get('hosts') or ())}\n"
    text += "Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------\n"
    text += "".join(_rules(spec, around)) + annotations(metadata.get("annotations"))
    return text + events(around.events, around.now)


def _rules(spec: Tree, around: Around) -> Iterator[str]:
    found = [one for one in spec.get("rules") or () if one.get("http")]
    for rule in found:
        yield f"  {rule.get('host') or '*'}\t\n"
        for path in rule["http"].get("paths") or ():
            yield f"  \t{path.get('path', '')} \t{_backend(path['backend'], around)}\n"
    if not found:
        yield f"  *\t*\t{_backend(spec['defaultBackend'], around) if spec.get('defaultBackend') else '<default>'}\n"


def _backend(backend: Tree, around: Around) -> str:
    """`name:port (addresses)`."""
    service = backend.get("service")
    if not service:
        resource = backend.get("resource") or {}
        return f"APIGroup: {resource.get('apiGroup') or '<none>'}, Kind: {resource.get('kind')}, Name: {resource.get('name')}"
    port = service.get("port") or {}
    slices = [one for one in around.slices if (one["metadata"].get("labels") or {}).get(SERVICE) == service["name"]]
    names = {one.get("name") or "" for found in slices for one in found.get("ports") or ()}
    wanted = port.get("name") if port.get("name") in names else next(iter(sorted(names)), "")
    found = addresses(slices, wanted or "")
    return f"{service['name']}:{port.get('name') or port.get('number')} ({'' if found == '<none>' else found})"


def ingress_class(tree: Tree, around: Around) -> str:
    metadata, spec = tree["metadata"], tree["spec"]
    text = f"Name:\t{metadata['name']}\n" + labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"Controller:\t{spec.get('controller', '')}\n"
    given = spec.get("parameters")
    if given:
        text += "Parameters:\n" + (f"  APIGroup:\t{given['apiGroup']}\n" if given.get("apiGroup") else "")
        text += f"  Kind:\t{given['kind']}\n  Name:\t{given['name']}\n"
    return text + events(around.events, around.now)


def endpoint_slice(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata['namespace']}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    text += f"AddressType:\t{tree.get('addressType', '')}\n"
    ports = tree.get("ports") or ()
    if not ports:
        text += "Ports: <unset>\n"
    else:
        rows = [(one.get("name") or "<unset>", one.get("port", "<unset>"), one.get("protocol", "")) for one in ports]
        text += "Ports:\n" + table(("Name", "Port", "Protocol"), rows)
    endpoints = tree.get("endpoints") or ()
    if not endpoints:
        return text + "Endpoints: <none>\n" + events(around.events, around.now)
    text += "Endpoints:\n"
    for one in endpoints:
        ready = (one.get("conditions") or {}).get("ready")
        target = one.get("targetRef")
        text += f"  - Addresses:\t{', '.join(one.get('addresses') or ())}\n    Conditions:\n"
        text += f"      Ready:\t{'<unset>' if ready is None else str(ready).lower()}\n"
        text += f"    Hostname:\t{one.get('hostname') or '<unset>'}\n"
        if target:
            text += f"    TargetRef:\t{target['kind']}/{target['name']}\n"
        text += f"    NodeName:\t{one.get('nodeName') or '<unset>'}\n    Zone:\t{one.get('zone') or '<unset>'}\n"
    return text + events(around.events, around.now)
