"""Keeper: makes the default levels and FlowSchemas, keeps their specs, and tells FlowSchemas whether their level exists.

Looked after at the start, and whenever one of these objects changes. A mandatory object is always put right; a suggested one while
its annotation apf.kubernetes.io/autoupdate-spec is not `false`.
kubernetes pkg/registry/flowcontrol/rest/storage_flowcontrol.go, ensurer · apiserver pkg/util/flowcontrol/apf_controller.go
"""

import asyncio

from apiserver.context import Server
from apiserver.flowcontrol import defaults, metrics
from apiserver.flowcontrol.control import STATE, Control
from apiserver.storage.follow import follow
from apiserver.storage.metadata import fill_new
from apiserver.storage.store import Store
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import FlowSchema, PriorityLevelConfiguration
from kube.api.views import timestamp
from kube.component.logging import get_logger

RETRY_SECONDS = 1.0
DANGLING = "Dangling"

log = get_logger(__name__)


def start(server: Server) -> None:
    """Begin, for the server's life, unless the flags say no: there is none to share where both limits are 0."""
    config = server.config
    if not config.enable_priority_and_fairness or not config.max_requests_inflight + config.max_mutating_requests_inflight:
        return
    control = server.state[STATE] = Control(server.config, server.place)
    metrics.show(control)
    changed = asyncio.Event()

    def put_level(key: Key, tree: Tree | None) -> None:
        control.put_level(key, tree)
        changed.set()

    def put_schema(key: Key, tree: Tree | None) -> None:
        control.put_schema(key, tree)
        changed.set()

    follow(server, resource_of(PriorityLevelConfiguration), put_level)
    follow(server, resource_of(FlowSchema), put_schema)
    if server.place.first:
        server.spawn(_keep(server, control, changed), "priority and fairness objects")


async def _keep(server: Server, control: Control, changed: asyncio.Event) -> None:
    levels = server.stores.store_for(resource_of(PriorityLevelConfiguration))
    schemas = server.stores.store_for(resource_of(FlowSchema))
    while True:
        changed.clear()
        try:
            for tree in defaults.levels():
                await _ensure(levels, tree)
            for tree in defaults.schemas():
                await _ensure(schemas, tree)
            for tree in schemas.cached_list():
                await _tell(schemas, tree, control)
        except ApiError as error:
            log.warning("priority and fairness objects cannot be kept yet", reason=error)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        except Exception:  # a periodic task's top: what is stored must not end the server, it would do so at each start
            log.exception("priority and fairness objects cannot be kept")
        await changed.wait()


async def _ensure(store: Store, wanted: Tree) -> None:
    row, name = store.resource, wanted["metadata"]["name"]
    row.set_defaults(wanted)
    found = store.cached(Key("", name))
    if found is None:
        fill_new(wanted, row, "", store.now())
        try:
            await store.create({**wanted, "status": {}})
        except AlreadyExists:
            return  # by another server
    elif needs_update(found, wanted):

        async def updated(current: Tree) -> Tree:
            if not needs_update(current, wanted):
                return current
            metadata = {**current["metadata"], "generation": current["metadata"].get("generation", 1) + 1}
            return {**current, "metadata": metadata, "spec": wanted["spec"]}

        try:
            await store.update(Key("", name), updated)
        except NotFound:
            return  # it is made anew at the change that this is


def needs_update(found: Tree, wanted: Tree) -> bool:
    """Whether a default object is to be put right. Pure."""
    if found["spec"] == wanted["spec"]:
        return False
    metadata = found["metadata"]
    kept = (metadata.get("annotations") or {}).get(defaults.AUTO_UPDATE)
    if metadata["name"] in defaults.MANDATORY or kept == "true":
        return True
    return kept is None and metadata.get("generation", 1) == 1  # nobody has touched it


async def _tell(store: Store, tree: Tree, control: Control) -> None:
    level = tree["spec"]["priorityLevelConfiguration"]["name"]
    exists = control.exists(level)
    now = timestamp(store.now())

    async def told(current: Tree) -> Tree:
        return with_dangling(current, exists, now)

    if with_dangling(tree, exists, now) != tree:
        try:
            await store.update(Key("", tree["metadata"]["name"]), told)
        except NotFound:
            return


def with_dangling(schema: Tree, exists: bool, now: str) -> Tree:
    """The FlowSchema with its condition; its time changes with its status only. Pure."""
    level = schema["spec"]["priorityLevelConfiguration"]["name"]
    conditions = (schema.get("status") or {}).get("conditions") or []
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    status, reason = ("False", "Found") if exists else ("True", "NotFound")
    message = f"{about} and it exists" if exists else f"{about} but there is no such object"
    old = next((one for one in conditions if one.get("type") == DANGLING), None)
    since = (old.get("lastTransitionTime") if old is not None and old.get("status") == status else None) or now
    new = {"type": DANGLING, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if old is not None and old == new:
        return schema
    others = [one for one in conditions if one.get("type") != DANGLING]
    return {**schema, "status": {**(schema.get("status") or {}), "conditions": [*others, new]}}
