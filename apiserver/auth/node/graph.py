"""Graph: from an object to the nodes that may read it, because a pod there refers to it.

    pod on node -> secrets, configmaps, service account, claims -> volume of the claim -> the volume's secrets
    volume attachment -> its node

Mirror pods refer to nothing: a node makes them itself, and could name what it likes.
kubernetes plugin/pkg/auth/authorizer/node/graph.go
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from apiserver.context import Server
from apiserver.storage.follow import follow
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import PersistentVolume, Pod, VolumeAttachment

MIRROR = "kubernetes.io/config.mirror"
SECRET_FIELDS = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef", "controllerPublishSecretRef", "secretRef")


class Object(NamedTuple):
    """`plural` is the resource's."""

    plural: str
    namespace: str
    name: str


class Graph:
    def __init__(self) -> None:
        self._nodes: dict[Object, Counter[str]] = defaultdict(Counter)  # how many pods of each node refer to it
        self._pods: dict[Key, tuple[str, frozenset[Object]]] = {}
        self._claims: dict[Object, set[Object]] = defaultdict(set)  # of a volume, and of the secrets that volumes need
        self._volumes: dict[Key, tuple[Object, frozenset[Object]]] = {}
        self._attachments: dict[str, str] = {}  # name -> node

    def reaches(self, node: str, wanted: Object) -> bool:
        """Whether a pod on the node leads to the object."""
        if wanted.plural == "volumeattachments":
            return self._attachments.get(wanted.name) == node
        if self._refers(node, wanted):
            return True
        return any(self._refers(node, claim) for claim in self._claims.get(wanted, ()))

    def _refers(self, node: str, wanted: Object) -> bool:
        nodes = self._nodes.get(wanted)
        return nodes is not None and node in nodes

    def set_pod(self, key: Key, tree: Tree | None) -> None:
        """A pod as it is now; None: it is gone."""
        node, wanted = "", frozenset[Object]()
        if tree is not None and (node := tree["spec"].get("nodeName") or ""):
            wanted = frozenset(_references(key, tree))
        before = self._pods.get(key)
        if before == (node, wanted):
            return
        if before is not None:
            self._forget_pod(*before)
            del self._pods[key]
        if wanted:
            self._pods[key] = (node, wanted)
            for one in wanted:
                self._nodes[one][node] += 1

    def _forget_pod(self, node: str, wanted: frozenset[Object]) -> None:
        for one in wanted:
            nodes = self._nodes[one]
            nodes[node] -= 1
            if not nodes[node]:
                del nodes[node]
            if not nodes:
                del self._nodes[one]

    def set_volume(self, key: Key, tree: Tree | None) -> None:
        claim, through = self._volumes.pop(key, (None, frozenset()))
        for one in through:
            if claim is not None:
                self._claims[one].discard(claim)
        named = (tree["spec"].get("claimRef") or {}) if tree is not None else {}
        if tree is not None and named.get("name"):
            claim = Object("persistentvolumeclaims", named.get("namespace", ""), named["name"])
            through = frozenset((Object("persistentvolumes", "", key.name), *_volume_secrets(tree, claim.namespace)))
            self._volumes[key] = (claim, through)
            for one in through:
                self._claims[one].add(claim)

    def set_attachment(self, key: Key, tree: Tree | None) -> None:
        if tree is None:
            self._attachments.pop(key.name, None)
        else:
            self._attachments[key.name] = tree["spec"].get("nodeName", "")


def _references(key: Key, pod: Tree) -> Iterator[Object]:
    yield Object("pods", key.namespace, key.name)
    if MIRROR in (pod["metadata"].get("annotations") or {}):
        return
    yield from named_by(key, pod["spec"])


def named_by(key: Key, spec: Tree) -> Iterator[Object]:
    """The objects that a pod's spec names."""
    namespace = key.namespace
    yield Object("serviceaccounts", namespace, spec.get("serviceAccountName") or "")
    for secret in spec.get("imagePullSecrets") or ():
        yield Object("secrets", namespace, secret.get("name", ""))
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            yield from _environment(container, namespace)
    for volume in spec.get("volumes") or ():
        yield from _volume(volume, namespace, key.name)


def _environment(container: Tree, namespace: str) -> Iterator[Object]:
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for field, plural in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
            if source.get(field):
                yield Object(plural, namespace, source[field].get("name", ""))
    for source in container.get("envFrom") or ():
        for field, plural in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
            if source.get(field):
                yield Object(plural, namespace, source[field].get("name", ""))


def _volume(volume: Tree, namespace: str, pod: str) -> Iterator[Object]:
    if volume.get("secret"):
        yield Object("secrets", namespace, volume["secret"].get("secretName", ""))
    if volume.get("configMap"):
        yield Object("configmaps", namespace, volume["configMap"].get("name", ""))
    if volume.get("persistentVolumeClaim"):
        yield Object("persistentvolumeclaims", namespace, volume["persistentVolumeClaim"].get("claimName", ""))
    if volume.get("ephemeral"):
        yield Object("persistentvolumeclaims", namespace, f"{pod}-{volume['name']}")
    for source in (volume.get("projected") or {}).get("sources") or ():
        for field, plural in (("secret", "secrets"), ("configMap", "configmaps")):
            if source.get(field):
                yield Object(plural, namespace, source[field].get("name", ""))
    for driver in volume.values():
        if isinstance(driver, dict):
            for field in SECRET_FIELDS:
                if driver.get(field):
                    yield Object("secrets", namespace, driver[field].get("name", ""))


def _volume_secrets(volume: Tree, namespace: str) -> Iterator[Object]:
    for driver in volume["spec"].values():
        if isinstance(driver, dict):
            for field in SECRET_FIELDS:
                if driver.get(field):
                    yield Object("secrets", driver[field].get("namespace") or namespace, driver[field].get("name", ""))


def may_have_a_node(pod: bytes) -> bool:
    """A new pod has none: most of those that are created are not decoded here."""
    return b'"nodeName":"' in pod


def graph_of(server: Server) -> Graph:
    """The server's one graph, filled, and kept up to date from now on."""
    graph: Graph | None = server.state.get("node graph")
    if graph is None:
        graph = server.state["node graph"] = Graph()
        follow(server, resource_of(Pod), graph.set_pod, may_have_a_node)
        for kind, put in ((PersistentVolume, graph.set_volume), (VolumeAttachment, graph.set_attachment)):
            follow(server, resource_of(kind), put)
    return graph
