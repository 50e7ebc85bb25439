"""Pipeline: what every write goes through between the client's tree and the store, in upstream's order.

    create: defaults → managedFields → mutating admission → defaults → name, uid, times → prepare → allocation
            → validation → validating admission → store
    update: the same with what was there kept where it may not change; generation counted

Defaults come before admission, which may rely on them, and again after it, for what admission added. Managed fields tell what
the client sent, with the defaults: what admission, allocation and the kind's own rules add is nobody's.
apiserver pkg/endpoints/handlers/{create,update}.go, pkg/registry/rest/{create,update}.go
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import orjson

from apiserver import zero_values
from apiserver.allocation import BEFORE_STORE
from apiserver.context import AdmissionAttributes, Release, Request, Server
from apiserver.handlers import managed_fields, write_options
from apiserver.handlers.negotiation import content_type
from apiserver.object_rules import OBJECT_RULES
from apiserver.storage.deletion import utc_now
from apiserver.storage.listing import invalid_options
from apiserver.storage.metadata import count_generation, drop_empty, fill_new, keep_old
from apiserver.storage.store import Store
from kube.api import names
from kube.api.meta import Key, Tree
from kube.api.metadata import identity_errors, metadata_errors
from kube.api.resource import Resource
from kube.api.status import OBJECT_MODIFIED, BadRequest, Conflict, FieldError, Invalid, cause_of, conflict, invalid, invalid_object
from kube.api.views import lenient_view, timestamp

Take = Callable[[Tree, Tree], Tree]  # (new, old) -> the old object with what a subresource may change
FillIn = Callable[[Resource, Tree], None]

OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"

_random = random.SystemRandom()


@dataclass(frozen=True)
class Shown:
    """The kind of its own in which a subresource shows an object (Scale): admission is told of that one."""

    show: Callable[[Tree], Tree]
    take: Callable[[Tree, Tree], Tree]  # (object, shown): the object as the shown form wants it, changed in place


@dataclass
class Write:
    """One write request on its way."""

    server: Server
    request: Request
    row: Resource
    subresource: str = ""
    applies: bool = False  # server-side apply, which keeps its own account of managed fields
    shown: Shown | None = None
    _releases: list[Release] = field(default_factory=list)
    _identity: list[FieldError] = field(default_factory=list)  # what of the object's identity an update would change

    def __post_init__(self) -> None:
        write_options.check(self.request, content_type(self.request) if self.request.info.verb == "patch" else "")
        self.dry_run = is_dry_run(self.request)

    @property
    def store(self) -> Store:
        return self.server.stores.store_for(self.row)

    async def created(self, tree: Tree) -> Tree:
        """The tree as it will be stored as a new object. Raises what admission and validation raise."""
        info, row = self.request.info, self.row
        check_path(tree, info.namespace if row.namespaced else "", "")
        if tree["metadata"].get("resourceVersion") not in (None, "", "0") and not (self.dry_run or self.applies):
            raise BadRequest("resourceVersion should not be set on objects to be created")  # of upstream a 500
        _fill_in(row, tree)
        now = utc_now()
        self._track(tree, None, now)
        attributes = self._attributes("CREATE", tree, None)
        await self.server.admission.mutate(attributes, self.server)
        row.set_defaults(tree)
        fill_new(tree, row, info.namespace, now)
        metadata = tree["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = names.generate(metadata["generateName"], _random.choice)
        if "status" in row.subresources and not row.status_on_create:
            tree.pop("status", None)
        row.prepare(tree, None)  # type: ignore[arg-type]  # kube.api is read without strict optionals
        zero_values.fill(row, tree, last=True)
        await self._allocate(tree, None)
        drop_empty(metadata)
        await self._validate(tree, None, row.validate)
        attributes.name = metadata["name"]
        await self.server.admission.validate(attributes, self.server)
        return tree

    async def updated(self, new: Tree, old: Tree) -> Tree:
        """The tree as it will replace `old`."""
        row = self.row
        self._check_version(new, old)
        self._identity = [*identity_errors(new["metadata"], old["metadata"])]
        await self.ended(False)  # of an attempt that lost the race
        keep_old(new, old, row)
        _fill_in(row, new)
        self._track(new, old, utc_now())
        attributes = self._attributes("UPDATE", new, old)
        await self.server.admission.mutate(attributes, self.server)
        if self.shown is not None and attributes.object is not None:
            self.shown.take(new, attributes.object)
        row.set_defaults(new)
        keep_old(new, old, row)
        if "status" in row.subresources:
            _copy("status", old, new)
        row.prepare(new, old)
        zero_values.fill(row, new, last=True)
        if row.has_generation:
            count_generation(new, old, row, annotations=row.generation_counts_annotations)
        await self._allocate(new, old)
        drop_empty(new["metadata"])
        await self._validate(new, old, row.validate)
        if self.shown is not None:
            attributes.object = self.shown.show(new)
        await self.server.admission.validate(attributes, self.server)
        return new

    async def status_updated(self, new: Tree, old: Tree) -> Tree:
        """The tree that replaces `old` on a write to /status: nothing but status and metadata come from `new`."""
        return await self.part_updated(new, old, self._status_taken, self.row.validate_status, _fill_in_status)

    def _status_taken(self, new: Tree, old: Tree) -> Tree:
        tree = _with_status(new, old, self.row.status_keeps)
        self.row.prepare_status(tree, old)
        return tree

    async def part_updated(self, new: Tree, old: Tree, take: Take, rules: Any, fill_in: FillIn | None = None) -> Tree:
        """The tree that replaces `old` on a write to a subresource that changes a part of it: what `take` makes of both."""
        self._check_version(new, old)
        self._identity = [*identity_errors(new["metadata"], old["metadata"])]
        keep_old(new, old, self.row)
        tree = take(new, old)
        (fill_in or _fill_in)(self.row, tree)
        self._track(tree, old, utc_now())
        attributes = self._attributes("UPDATE", tree, old)
        await self.server.admission.mutate(attributes, self.server)
        if attributes.reinvocation:  # somebody changed it, perhaps more of it than this subresource may
            attributes.object = tree = take(tree, old)
        if self.row.has_generation:
            count_generation(tree, old, self.row)
        drop_empty(tree["metadata"])
        await self._validate(tree, old, rules)
        await self.server.admission.validate(attributes, self.server)
        return tree

    async def ended(self, stored: bool) -> None:
        """Tell the allocators how the write went."""
        releases, self._releases = self._releases, []
        for release in releases:
            await release(stored)

    def _track(self, new: Tree, old: Tree | None, now: datetime) -> None:
        drop_empty(new["metadata"])
        if not self.applies:
            manager = managed_fields.manager_of(self.request)
            managed_fields.track(new, old, self.row, manager=manager, subresource=self.subresource, now=timestamp(now))

    async def _allocate(self, new: Tree, old: Tree | None) -> None:
        hook = BEFORE_STORE.get((self.row.group, self.row.plural))
        if hook is not None:
            release = await hook(self.server, new, old, self.dry_run)
            if release is not None:
                self._releases.append(release)

    def _attributes(self, operation: str, new: Tree, old: Tree | None) -> AdmissionAttributes:
        info, show = self.request.info, self.shown.show if self.shown else _itself
        return AdmissionAttributes(
            request=self.request, user=self.request.user, operation=operation, resource=self.row, subresource=self.subresource,
            namespace=info.namespace, name=new["metadata"].get("name", "") or info.name,
            object=show(new), old=show(old) if old is not None else None,
            options={"dryRun": ["All"]} if self.dry_run else {}, dry_run=self.dry_run,
        )  # fmt: skip

    def _check_version(self, new: Tree, old: Tree) -> None:
        """The client's resourceVersion and uid, where it gave them, must be those of the object."""
        metadata, before = new["metadata"], old["metadata"]
        name = before["name"]
        version = metadata.get("resourceVersion")
        if version in (None, "", "0") and not self.row.unconditional_update:
            missing = invalid("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid_object(self.row.plural, self.row.group, name, [missing])  # upstream names the resource here
        if version not in (None, "", "0", before["resourceVersion"]):
            raise conflict(self.row.plural, self.row.group, name, OBJECT_MODIFIED)
        uid = metadata.get("uid")
        if uid and uid != before.get("uid") and self.request.info.verb != "patch":  # which is no precondition
            raise self.other_uid(uid, before.get("uid", ""))

    def other_uid(self, wanted: str, actual: str) -> Conflict:
        """A whole object was sent that says that it is another one."""
        info = self.request.info
        path = self.store.path(Key(info.namespace if self.row.namespaced else "", info.name))
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {actual}"
        told = f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
        return conflict(self.row.plural, self.row.group, info.name, told)

    async def _validate(self, new: Tree, old: Tree | None, rules: Any) -> None:
        errors = twice = [*self._identity, *metadata_errors(self.row, new, old)]
        view_class = self.row.view
        if view_class is None or self.row.validates_trees:
            own = await asyncio.to_thread(list, rules(new, old)) if self.row.validates_aside else rules(new, old)
            errors = [*errors, *own]
        else:
            try:
                views = lenient_view(view_class, new), lenient_view(view_class, old) if old is not None else None
            except msgspec.ValidationError as error:
                text = f'{self.row.kind} in version "{self.row.version}" cannot be handled as a {self.row.kind}: {error}'
                raise BadRequest(text) from None
            errors = [*errors, *rules(*views)]
            for text in () if errors or rules is not self.row.validate else self.row.warnings(*views):
                self.request.warn(text)
        more = OBJECT_RULES.get((self.row.group, self.row.plural))
        if more is not None and rules is self.row.validate:
            errors += more(new, old)
        if errors:
            failure = self._invalid(new["metadata"].get("name", ""), errors)
            if twice and old is not None and failure.details:  # upstream looks at metadata for every kind, and each kind does too
                failure.details["causes"] = [*map(cause_of, twice), *failure.details["causes"]]
            raise failure

    def _invalid(self, name: str, errors: Iterable[FieldError]) -> Invalid:
        group = "" if self.row.stored_in == "core" else self.row.group  # it is judged as what it is stored as
        return invalid_object(self.row.kind, group, name, errors)


def check_path(tree: Tree, namespace: str, name: str) -> None:
    """The body's name and namespace must be the URL's; what is missing is filled in. Empty: the URL says nothing of it."""
    metadata = tree.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise BadRequest("metadata must be an object")
    given = metadata.get("namespace")
    if namespace and given and given != namespace:
        raise BadRequest(OTHER_NAMESPACE)
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if not name:
        return
    if not metadata.get("name"):
        metadata["name"] = name
    elif metadata["name"] != name:
        text = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        raise BadRequest(text)


def check_name(request: Request, tree: Tree) -> None:
    """What replaces an object must have its name, and no other namespace."""
    info, metadata = request.info, tree.get("metadata") or {}
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    if not name:
        raise unnamed(info.name)
    if name != info.name:
        raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({info.name})")
    if info.namespace and namespace and namespace != info.namespace:
        raise BadRequest(
            f"the namespace of the object ({namespace}) does not match the namespace on the request ({info.namespace})"
        )


def unnamed(name: str) -> BadRequest:
    return BadRequest(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")


def check_named(request: Request, tree: Tree, kind: str) -> None:
    """What is posted to a subresource, and says of itself which object it is for, must mean that of the URL."""
    metadata = tree.get("metadata") or {}
    if metadata.get("namespace") and metadata["namespace"] != request.info.namespace:
        raise BadRequest(OTHER_NAMESPACE)
    if metadata.get("name") != request.info.name:
        raise BadRequest(f"name in URL does not match name in {kind} object")


def _fill_in(row: Resource, tree: Tree) -> None:
    zero_values.drop(row, tree)
    row.set_defaults(tree)
    zero_values.fill(row, tree)


def _fill_in_status(row: Resource, tree: Tree) -> None:
    """The rest was complete when it was stored. A custom resource's schema may have changed since, and have defaults anywhere."""
    zero_values.drop_status(row, tree)
    (row.set_defaults if row.view is None else row.set_status_defaults)(tree)
    zero_values.fill_status(row, tree)


def _with_status(new: Tree, old: Tree, kept: Iterable[str]) -> Tree:
    tree = {name: value for name, value in old.items() if name not in ("metadata", "status")}
    tree["metadata"] = new["metadata"]
    for name in kept:
        _copy(name, old["metadata"], tree["metadata"])
    _copy("status", new, tree)
    return tree


def is_dry_run(request: Request, options: Tree | None = None) -> bool:
    """Whether dryRun=All is asked for, in the query or in DeleteOptions; no other value is known."""
    values = [*request.info.query.get("dryRun", ()), *((options or {}).get("dryRun") or ())]
    if not values:
        return False
    if errors := [*write_options.dry_run_errors(values)]:
        raise invalid_options(write_options.KINDS.get(request.info.verb, "DeleteOptions"), errors)
    return True


def _itself(tree: Tree) -> Tree:
    return tree


def copy_tree(tree: Tree) -> Tree:
    copied: Tree = orjson.loads(orjson.dumps(tree))
    return copied


def _copy(name: str, source: Tree, target: Tree) -> None:
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)
