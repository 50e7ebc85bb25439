"""Index: every role and binding in memory, found by the subject it is about.

Promise: a question costs as many steps as the user has bindings, however many there are in the cluster. The index is what the
watch cache was when the last of its changes was followed; as upstream, a binding counts a moment after it was made.
kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go
"""

from collections.abc import Iterator
from dataclasses import dataclass

from apiserver.auth.rbac.rules import Rule, Rules
from apiserver.context import Server, User
from apiserver.storage.follow import follow
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import ClusterRole, ClusterRoleBinding, Role, RoleBinding

GROUP = "rbac.authorization.k8s.io"
SUBJECT_PREFIX = {"User": "user:", "Group": "group:"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one binding gives to one subject."""

    binding: Key  # the namespace is empty for a ClusterRoleBinding
    role_kind: str
    role: str
    subject: str  # as it is told: `User "jane"`

    @property
    def role_key(self) -> Key:
        return Key(self.binding.namespace if self.role_kind == "Role" else "", self.role)

    def __str__(self) -> str:
        namespace, name = self.binding
        told = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
        return f'{told} of {self.role_kind} "{self.role}" to {self.subject}'


class RbacIndex:
    def __init__(self) -> None:
        self._roles: dict[Key, Rules] = {}  # ClusterRoles in the namespace ""
        self._grants: dict[str, dict[str, dict[Key, Grant]]] = {}  # namespace ("" everywhere) -> subject -> by binding
        self._subjects: dict[Key, tuple[str, ...]] = {}  # whom each binding is about

    def set_role(self, key: Key, tree: Tree | None) -> None:
        """A role as it is now; None: it is gone."""
        if tree is None:
            self._roles.pop(key, None)
        else:
            self._roles[key] = Rules(Rule.of(rule) for rule in tree.get("rules") or ())

    def set_binding(self, key: Key, tree: Tree | None) -> None:
        around = self._grants.setdefault(key.namespace, {})
        for subject in self._subjects.pop(key, ()):
            grants = around[subject]
            del grants[key]
            if not grants:
                del around[subject]
        if tree is not None:
            found = dict(_grants(key, tree))
            self._subjects[key] = tuple(found)
            for subject, grant in found.items():
                around.setdefault(subject, {})[key] = grant

    def rules_of(self, key: Key) -> Rules | None:
        return self._roles.get(key)

    def knows(self, key: Key) -> bool:
        """Whether it has heard of a role or a binding of this name."""
        return key in self._roles or key in self._subjects

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """What the user is given everywhere, and then in the namespace."""
        subjects = (f"user:{user.name}", *(f"group:{group}" for group in user.groups))
        for place in ("", namespace) if namespace else ("",):
            around = self._grants.get(place)
            if not around:
                continue
            for subject in subjects:
                found = around.get(subject)
                if found:
                    yield from found.values()


def _grants(key: Key, tree: Tree) -> Iterator[tuple[str, Grant]]:
    role = tree["roleRef"]
    for subject in tree.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or key.namespace
            word, told = f"user:system:serviceaccount:{namespace}:{name}", f'ServiceAccount "{name}/{namespace}"'
        else:
            word, told = f"{SUBJECT_PREFIX[kind]}{name}", f'{kind} "{name}"'
        yield word, Grant(key, role["kind"], role["name"], told)


def index_of(server: Server) -> RbacIndex:
    """The server's one index, filled, and kept up to date from now on."""
    found: RbacIndex | None = server.state.get("rbac")
    if found is None:
        found = server.state["rbac"] = RbacIndex()
        for kind, put in (
            (ClusterRole, found.set_role), (Role, found.set_role),
            (ClusterRoleBinding, found.set_binding), (RoleBinding, found.set_binding),
        ):  # fmt: skip
            follow(server, resource_of(kind), put)
    return found
