"""NodeRestriction: a node writes to itself, to its own pods, and to its own lease, and to nothing else.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
"""

from apiserver.context import AdmissionAttributes, Server
from kube.api.status import is_forbidden

NODE_PREFIX = "system:node:"
MIRROR = "kubernetes.io/config.mirror"


class NodeRestriction:
    name = "NodeRestriction"

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        user = attributes.user
        if not user.name.startswith(NODE_PREFIX) or "system:nodes" not in user.groups:
            return
        node = user.name.removeprefix(NODE_PREFIX)
        why = refusal(attributes, node)
        if why:
            raise is_forbidden(attributes.resource.plural, attributes.resource.group, attributes.name, why)


def refusal(attributes: AdmissionAttributes, node: str) -> str:
    """Why the node may not, or nothing."""
    match attributes.resource.kind:
        case "Node":
            return "" if attributes.name == node else f'node "{node}" is not allowed to modify node "{attributes.name}"'
        case "Lease" if attributes.namespace == "kube-node-lease":
            return "" if attributes.name == node else "can only access node lease with the same name as the requesting node"
        case "Pod":
            return _about_pod(attributes, node)
    return ""


def _about_pod(attributes: AdmissionAttributes, node: str) -> str:
    pod = attributes.old or attributes.object
    if pod is None or pod.get("kind", "Pod") != "Pod":  # a binding, an eviction, the options of a connection
        return ""
    if pod["spec"].get("nodeName") != node:
        return f'node "{node}" can only {attributes.operation.lower()} pods with spec.nodeName set to itself'
    if attributes.operation == "CREATE" and MIRROR not in (pod["metadata"].get("annotations") or {}):
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    return ""
