"""The plugin: finds what a rule needs to know, and refuses in its words.

It is asked with those that mutate, as upstream's is: before an object without a name is given one, and before it is validated.
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
kubernetes plugin/pkg/admission/noderestriction/admission.go
"""

from collections.abc import Iterator
from typing import Any

from apiserver.admission.node_restriction import rules
from apiserver.admission.node_restriction.rules import Write
from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import Forbidden, is_forbidden, not_found
from kube.api.types import CSIDriver, Node, PersistentVolume, PersistentVolumeClaim, Pod

NODE_PREFIX = "system:node:"


class NodeRestriction:
    name = "NodeRestriction"

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        user = attributes.user
        if not user.name.startswith(NODE_PREFIX) or "system:nodes" not in user.groups:
            return
        node = user.name.removeprefix(NODE_PREFIX)
        if not node:
            raise _forbidden(attributes, f'could not determine node from user "{user.name}"')
        why = _refusal(attributes, _write(attributes, node), server)
        if why:
            raise _forbidden(attributes, why)


def _write(attributes: AdmissionAttributes, node: str) -> Write:
    return Write(
        node, attributes.operation, attributes.subresource, attributes.namespace, attributes.name, attributes.object, attributes.old
    )


def _refusal(attributes: AdmissionAttributes, write: Write, server: Server) -> str:
    match attributes.resource.group, attributes.resource.plural:
        case "", "pods":
            return _about_pods(write, server)
        case "", "nodes":
            return rules.about_node(write)
        case "", "persistentvolumeclaims":
            return rules.about_claim(write)
        case "", "serviceaccounts" if write.subresource == "token":
            return _about_token(write, server)
        case "coordination.k8s.io", "leases":
            return rules.about_lease(write)
        case "storage.k8s.io", "csinodes":
            return rules.about_csi_node(write)
        case "resource.k8s.io", "resourceslices":
            return rules.about_slice(write)
    return ""


def _about_pods(write: Write, server: Server) -> str:
    if write.operation == "CONNECT":
        return ""
    match write.subresource:
        case "":
            own = _cached(server, Node, Key("", write.node))
            return rules.about_pod(write, own["metadata"]["uid"] if own is not None else None)
        case "status":
            return rules.about_pod_status(write)
        case "eviction":
            return rules.about_eviction(write, _there(server, write.namespace, write.name))
    return f"unexpected pod subresource \"{write.subresource}\", only 'status' and 'eviction' are allowed"


def _about_token(write: Write, server: Server) -> str:
    bound = (((write.new or {}).get("spec") or {}).get("boundObjectRef")) or {}
    if why := rules.about_binding(bound):
        return why
    pod = _there(server, write.namespace, bound["name"])
    return rules.about_token(write, pod, _audiences(server, pod))


def _audiences(server: Server, pod: Tree) -> Iterator[str]:
    """What tokens the pod needs: for its projected volumes, and for the drivers of its CSI volumes."""
    yield from rules.projected_audiences(pod)
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        name = (volume.get("csi") or {}).get("driver") or _driver(server, volume, namespace, pod["metadata"]["name"])
        driver = _cached(server, CSIDriver, Key("", name)) if name else None
        for wanted in ((driver or {}).get("spec") or {}).get("tokenRequests") or ():
            yield wanted.get("audience") or ""


def _driver(server: Server, volume: Tree, namespace: str, pod: str) -> str:
    """The CSI driver behind a claim."""
    name = (volume.get("persistentVolumeClaim") or {}).get("claimName") or (
        f"{pod}-{volume['name']}" if volume.get("ephemeral") else ""
    )
    claim = _cached(server, PersistentVolumeClaim, Key(namespace, name)) if name else None
    bound = _cached(server, PersistentVolume, Key("", claim["spec"].get("volumeName") or "")) if claim is not None else None
    return str(((bound or {"spec": {}})["spec"].get("csi") or {}).get("driver") or "")


def _there(server: Server, namespace: str, name: str) -> Tree:
    """A pod. Raises NotFound, in the words of upstream's cache."""
    found = _cached(server, Pod, Key(namespace, name))
    if found is None:
        raise not_found("pod", "", name)
    return found


def _cached(server: Server, kind: type[Any], key: Key) -> Tree | None:
    return server.stores.store_for(resource_of(kind)).cached(key) if key.name else None


def _forbidden(attributes: AdmissionAttributes, why: str) -> Forbidden:
    return is_forbidden(attributes.resource.plural, attributes.resource.group, attributes.said_name, why)
