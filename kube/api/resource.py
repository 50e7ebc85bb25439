"""Resource: one row of the table of kinds, from which routes, discovery, OpenAPI, tables and kubectl's names are made.

A row is data plus plain functions; the defaults do nothing. Hooks on trees (`set_defaults`, `prepare`) may change the tree they
are given; hooks on views must not. A custom resource becomes such a row at run time.
https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kube.api.meta import Tree
from kube.api.status import FieldError

OWN_METADATA = ("annotations", "finalizers", "labels", "ownerReferences")  # what somebody else than the server says of an object
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Column:
    """One printed column. `value` takes the view (a tree for custom resources) and the time now; None prints as `empty`.

    `priority` 0 is always shown, 1 with `-o wide` only. `type` and `format` are OpenAPI's, as in metav1.TableColumnDefinition.
    """

    name: str
    value: Callable[[Any, datetime], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""
    empty: Any = "<none>"  # the cell where `value` finds nothing


@dataclass(frozen=True)
class Scale:
    """Where the scale subresource reads and writes, as dotted paths in the tree."""

    spec_replicas: str = "spec.replicas"
    status_replicas: str = "status.replicas"
    selector: str = "spec.selector"  # a LabelSelector, a map of labels, or text


def _nothing(tree: Tree) -> None:
    """No defaults."""


def _no_preparation(new: Tree, old: Tree | None) -> None:
    """Nothing to prepare."""


def _valid(new: Any, old: Any) -> Iterable[FieldError]:
    return ()


def _no_warnings(new: Any, old: Any) -> Iterable[str]:
    return ()


def _immediately(tree: Tree, asked: int | None) -> int:
    return 0


def _nothing_holds(tree: Tree) -> bool:
    return False


def _no_conditions(tree: Tree) -> list[Tree]:
    return []


@dataclass(frozen=True)
class Resource:
    """A served kind. `group` is empty for core. `plural` is the name in paths."""

    group: str
    version: str
    kind: str
    plural: str
    view: type[Any] | None = None  # None: only trees (custom resources)
    namespaced: bool = True
    singular: str = ""  # empty: the kind in lower case
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    subresources: tuple[str, ...] = ()  # "status", "scale", "log", "binding", ... in upstream's names
    scale: Scale = field(default_factory=Scale)  # read only where "scale" is among the subresources
    set_defaults: Callable[[Tree], None] = _nothing
    set_status_defaults: Callable[[Tree], None] = _nothing  # the part of it that is about the status; given the whole object
    prepare: Callable[[Tree, Tree | None], None] = _no_preparation  # (new, old): drop or fill what clients may not choose
    prepare_status: Callable[[Tree, Tree], None] = _no_preparation  # (new, old): the same on writes to /status
    status_keeps: tuple[str, ...] = ()  # fields of the metadata that a write to /status leaves as they are
    validate: Callable[[Any, Any], Iterable[FieldError]] = _valid  # (new view, old view or None)
    validate_status: Callable[[Any, Any], Iterable[FieldError]] = _valid  # for writes to /status
    validates_trees: bool = False  # they are given trees although the kind has views
    validates_aside: bool = False  # `validate` may take long: it runs in a thread, while others are served
    warnings: Callable[[Any, Any], Iterable[str]] = _no_warnings  # (new view, old view or None): of what was found valid
    deprecation: str = ""  # told at each request: "v1 Endpoints is deprecated in v1.33+; use ..."
    validate_name: Callable[[str], Iterable[str]] | None = None  # None: names.subdomain
    columns: tuple[Column, ...] | None = None  # None: NAME and CREATED AT; a first column Name is put before them unless one is
    row_conditions: Callable[[Tree], list[Tree]] = _no_conditions  # of its row in a Table: that it is completed
    field_selectors: dict[str, Callable[[Tree], str]] = field(
        default_factory=dict, hash=False
    )  # beyond metadata.name and .namespace
    grace_seconds: Callable[[Tree, int | None], int] = _immediately  # (object, asked) -> seconds to wait before it is gone
    has_generation: bool = True  # metadata.generation counts changes outside metadata and status
    generation_stays: bool = False  # at 1: nobody follows its changes
    generation_counts_annotations: bool = False  # they are copied to what it controls; not where its status is written
    unconditional_update: bool = True  # PUT without a resourceVersion overwrites
    create_on_update: bool = False  # PUT to a name that is not there creates it
    stored_in: str = ""  # another group whose storage this kind shares: events.k8s.io/Event is core's Event
    # Of rows that share one kind's storage, the one without `view_tree` is the stored form; the others convert from and to it.
    view_tree: Callable[[Tree], Tree] | None = None  # from the stored form to this version's, where they differ
    stored_tree: Callable[[Tree], Tree] | None = None  # and back: from this version's form to the stored one
    # A custom resource: what makes an object's served form of the stored one and back, perhaps by asking a webhook
    # (apiserver.storage.served_form.ServedForm).
    served_form: Any = None
    structure: Any = None  # how it is built, as server-side apply needs it (kube.api.definitions.Type); None: a built-in kind's
    own_problems: Callable[[Tree], Any] | None = None  # prune unknown fields and say which (kube.api.schema.Problems)
    # As discovery and OpenAPI tell of a custom resource: its version's openAPIV3Schema as the user wrote it, the kind of its lists,
    # and the version in which its objects are stored. A built-in kind's come from the definitions.
    openapi_schema: Tree | None = field(default=None, hash=False)
    own_list_kind: str = ""
    stored_version: str = ""
    generation_counts_status: bool = False  # of a custom resource without the status subresource
    accepts_create: bool = True  # a custom resource whose definition is being deleted gets no new objects
    status_on_create: bool = False  # a create may carry a status (a Node registers itself with one); else it is dropped
    held: Callable[[Tree], bool] = _nothing_holds  # what keeps a deleted object, besides metadata.finalizers
    # What a DELETE that says no policy does with what the object owns: "Background" or "Orphan". Empty: no policy is heard at all.
    deletes_dependents: str = "Background"
    warning_without_policy: str = ""  # told to whoever deletes without saying a policy
    mark_deleted: Callable[[Tree], None] = _nothing  # what else changes when deletionTimestamp is set: a namespace's phase

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular_name(self) -> str:
        return self.singular or self.kind.lower()

    @property
    def list_kind(self) -> str:
        return self.own_list_kind or f"{self.kind}List"

    @property
    def qualified(self) -> str:
        """`deployments.apps`, `pods`: the name in messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The request path: `/apis/apps/v1/namespaces/n/deployments/d/status`. No namespace: across all of them."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/".join(parts)
