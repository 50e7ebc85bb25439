"""Object metadata: the one vocabulary for trees, keys, owners and labels.

A *tree* is an object as plain JSON values; generic code works on trees. A *view* is the same object as a typed, read-only
dataclass (see `views`); code that knows its kind works on views. A *key* names an object within its resource.
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:  # the model classes take half a second to import, and programs that carry trees alone do without them
    from lightkube.models.meta_v1 import ObjectMeta, OwnerReference

Tree = dict[str, Any]


class View(Protocol):
    """Any typed object: what generic code may assume of it."""

    @property
    def apiVersion(self) -> Any: ...
    @property
    def kind(self) -> Any: ...
    @property
    def metadata(self) -> Any: ...


class Key(NamedTuple):
    """The place of an object within its resource; `namespace` is empty for cluster-scoped objects."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(view: View) -> Key:
    """The key of a view."""
    return Key(view.metadata.namespace or "", view.metadata.name or "")


def tree_key(tree: Tree) -> Key:
    """The key of a tree."""
    metadata = tree.get("metadata") or {}
    return Key(metadata.get("namespace") or "", metadata.get("name") or "")


def parse_key(text: str) -> Key:
    """`namespace/name` or `name`, as `str(key)` writes it."""
    namespace, _, name = text.rpartition("/")
    return Key(namespace, name)


def controller_of(metadata: "ObjectMeta") -> "OwnerReference | None":
    """The one owner that manages the object, if it has one."""
    owners: Sequence[OwnerReference] = metadata.ownerReferences or ()
    return next((owner for owner in owners if owner.controller), None)


def controlled_by(metadata: "ObjectMeta", uid: str) -> bool:
    """Whether the object's managing owner has this uid (names are reused, uids never)."""
    owner = controller_of(metadata)
    return owner is not None and owner.uid == uid


def owner_reference(owner: View) -> Tree:
    """The reference that a controller puts on what it creates: controller and blocking, as upstream's NewControllerRef."""
    return {
        "apiVersion": owner.apiVersion,
        "kind": owner.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
