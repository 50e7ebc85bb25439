"""Started: what a server begins before it is of full use, as health checks with the names of upstream's post-start hooks.

Each looks at what its name promises: objects in the watch cache, a room that has begun, the caches themselves. Several of
upstream's hooks are one piece of work here and look at the same thing; hooks of work that is done nowhere here are left out
(leases of API servers, the tracking of legacy tokens, counts of stored objects).
Order and names: /readyz?verbose of kube-apiserver 1.36
"""

from collections.abc import Awaitable, Callable, Iterator

from apiserver.aggregator import local, trust
from apiserver.aggregator.registry import STATE as AGGREGATOR
from apiserver.context import Server
from apiserver.crd.registry import ROOM as DEFINITIONS
from apiserver.flowcontrol import defaults
from apiserver.flowcontrol.control import STATE as FLOW_CONTROL
from kube.api.meta import Key
from kube.api.resources import RESOURCES, resource_of
from kube.api.types import APIService, ConfigMap, PriorityLevelConfiguration
from kube.component.health import Check

Finished = Callable[[], bool]


def checks(server: Server) -> Iterator[Check]:
    """In upstream's order."""
    for name, finished in _hooks(server):
        yield Check(f"poststarthook/{name}", _asking(finished))
        if name == "kube-apiserver-autoregistration":
            yield Check("autoregister-completion", AutoRegistration(server).missing)


def _hooks(server: Server) -> Iterator[tuple[str, Finished]]:
    def begun(room: str) -> Finished:
        return lambda: room in server.state

    def bootstrapped() -> bool:
        return bool(server.state.get("bootstrapped"))

    read = server.stores.feed.ready.is_set
    shares = FLOW_CONTROL in server.state  # unless the flags say no
    yield "start-apiserver-admission-initializer", lambda: hasattr(server, "admission")
    yield "generic-apiserver-start-informers", read
    if shares:
        yield "priority-and-fairness-config-consumer", read
        yield "priority-and-fairness-filter", begun(FLOW_CONTROL)
    yield "start-apiextensions-informers", read
    yield "start-apiextensions-controllers", begun(DEFINITIONS)
    yield "crd-informer-synced", begun(DEFINITIONS)  # it begins with every definition that there is
    yield "start-system-namespaces-controller", bootstrapped
    yield "start-cluster-authentication-info-controller", lambda: _trust_published(server)
    yield "storage-readiness", read
    for name in ("start-service-ip-repair-controllers", "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes"):
        yield name, bootstrapped
    if shares:
        yield "priority-and-fairness-config-producer", lambda: _levels_made(server)
    yield "bootstrap-controller", bootstrapped
    yield "start-kubernetes-service-cidr-controller", bootstrapped
    yield "start-kube-aggregator-informers", read
    for name in (
        "apiservice-status-local-available-controller", "apiservice-status-remote-available-controller",
        "apiservice-registration-controller", "apiservice-discovery-controller", "kube-apiserver-autoregistration",
        "apiservice-openapi-controller", "apiservice-openapiv3-controller",
    ):  # fmt: skip
        yield name, begun(AGGREGATOR)


def _asking(finished: Finished) -> Callable[[], Awaitable[str | None]]:
    async def ask() -> str | None:
        return None if finished() else "not finished"

    return ask


def _trust_published(server: Server) -> bool:
    something = server.config.client_ca_file or server.config.requestheader_client_ca_file
    return not something or server.stores.store_for(resource_of(ConfigMap)).cached_entry(trust.KEY) is not None


def _levels_made(server: Server) -> bool:
    levels = server.stores.store_for(resource_of(PriorityLevelConfiguration))
    return all(levels.cached_entry(Key("", name)) for name in defaults.MANDATORY)


class AutoRegistration:
    """Which APIServices of built-in group versions have not been seen yet; one that was seen and went is no matter of the start."""

    def __init__(self, server: Server) -> None:
        self._services = server.stores.store_for(resource_of(APIService))
        self._pending = set(local.built_in(RESOURCES))

    async def missing(self) -> str | None:
        self._pending = {name for name in self._pending if self._services.cached_entry(Key("", name)) is None}
        return f"missing APIService: [{' '.join(sorted(self._pending))}]" if self._pending else None
