"""An object on its way through kustomizations: what it is now, and every name and namespace that it had."""

from dataclasses import dataclass, field

from kube.api.meta import Tree

CLUSTER_KINDS = frozenset((
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding",
    "ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IPAddress",
    "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace",
    "Node", "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "ServiceCIDR",
    "StorageClass", "StorageVersionMigration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass",
))  # fmt: skip


@dataclass
class Res:
    """`had`: earlier (name, namespace), oldest first. `hashed`: its name is to end with the hash of its content."""

    tree: Tree
    had: list[tuple[str, str]] = field(default_factory=list)
    hashed: bool = False
    prefixes: list[str] = field(default_factory=list)
    suffixes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return str(self.tree.get("kind", ""))

    @property
    def group(self) -> str:
        return str(self.tree.get("apiVersion", "")).rpartition("/")[0]

    @property
    def version(self) -> str:
        return str(self.tree.get("apiVersion", "")).rpartition("/")[2]

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        """Empty for kinds without one."""
        return "" if self.kind in CLUSTER_KINDS else str(self.metadata.get("namespace", ""))

    @property
    def metadata(self) -> Tree:
        metadata: Tree = self.tree.setdefault("metadata", {})
        return metadata

    @property
    def names(self) -> set[str]:
        """Now and before."""
        return {self.name, *(name for name, _ in self.had)}

    @property
    def original(self) -> str:
        return self.had[0][0] if self.had else self.name

    def is_same(self, other: "Res") -> bool:
        """The same object in another's eyes: kind, name and namespace, now or at first."""
        if (self.group, self.kind) != (other.group, other.kind):
            return False
        return (self.name, self.namespace) == (other.name, other.namespace)

    def remember(self) -> None:
        """Before name or namespace changes."""
        self.had.append((self.name, self.namespace))
