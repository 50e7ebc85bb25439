"""Root CA publisher: a ConfigMap kube-root-ca.crt in every namespace, for pods to verify the API server with.

https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken · pkg/controller/certificates/rootcacertpublisher
"""

from controller_manager.controller import Context, Controller
from controller_manager.pod_control import namespace_terminating
from kube.api.meta import Key, Tree
from kube.api.status import AlreadyExists, Forbidden
from kube.api.types import ConfigMap, Namespace

NAME, FILE = "kube-root-ca.crt", "ca.crt"
DESCRIPTION = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
    "Kubernetes clusters."
}


class RootCAPublisher(Controller[Key]):
    name = "root-ca-certificate-publisher-controller"
    reconciles = Namespace

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        path = context.config.root_ca_file
        assert path is not None, "start leaves this controller out where there is no --root-ca-file"
        self._data = {FILE: path.read_text(encoding="ascii")}
        self._published = self.informer(ConfigMap, field_selector=f"metadata.name={NAME}")
        self._published.on_change(self._touched)

    async def reconcile(self, key: Key) -> None:
        namespace = self.cache(Namespace).get(key)
        if namespace is None or namespace.metadata.deletionTimestamp is not None:
            return
        where = Key(key.name, NAME)
        have = self._published.cache.get(where)
        if have is None:
            await self._create(where)
        elif patch := difference(have, self._data):
            await self.client.patch(ConfigMap, where, patch)

    async def _create(self, where: Key) -> None:
        metadata = {"name": where.name, "namespace": where.namespace, "annotations": DESCRIPTION}
        try:
            await self.client.create(ConfigMap, {"metadata": metadata, "data": self._data})
        except AlreadyExists:
            return
        except Forbidden as error:
            if not namespace_terminating(error):
                raise

    def _touched(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        self.queue.add(Key("", (old or new).metadata.namespace))


def difference(have: ConfigMap, data: dict[str, str]) -> Tree:
    """A merge patch; empty where the ConfigMap says what it should."""
    known = dict(have.data or {})
    if known == data:
        return {}
    return {"data": {key: None for key in known if key not in data} | data}
