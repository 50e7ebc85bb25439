"""ServiceAccount controller: a ServiceAccount `default` in every namespace that is not being deleted.

https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
"""

from controller_manager.controller import Controller, Watch
from controller_manager.pod_control import namespace_terminating
from kube.api.meta import Key
from kube.api.status import AlreadyExists, Forbidden
from kube.api.types import Namespace, ServiceAccount

NAMES = ("default",)


class ServiceAccountController(Controller[Key]):
    name = "serviceaccount-controller"
    reconciles = Namespace
    reads = (ServiceAccount,)

    def extra(self) -> tuple[Watch, ...]:
        """One that was deleted comes back."""
        return (Watch(ServiceAccount, lambda account: [Key("", account.metadata.namespace)]),)

    async def reconcile(self, key: Key) -> None:
        namespace = self.cache(Namespace).get(key)
        if namespace is None:
            return
        have = {one.metadata.name for one in self.cache(ServiceAccount).list(key.name)}
        for name in missing(namespace, have):
            try:
                await self.client.create(ServiceAccount, {"metadata": {"name": name, "namespace": key.name}})
            except AlreadyExists:
                continue
            except Forbidden as error:
                if not namespace_terminating(error):
                    raise


def missing(namespace: Namespace, have: set[str]) -> list[str]:
    if namespace.metadata.deletionTimestamp is not None or namespace.status.phase == "Terminating":
        return []
    return [name for name in NAMES if name not in have]
