"""FIELDS: where labels, selectors, annotations and names of other objects stand in each kind.

A path is divided by `/`; `[]` after a name: in every item of that list.
kubernetes-sigs/kustomize api/internal/konfig/builtinpluginconsts
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from kube.api.meta import Tree
from kubectl.kustomize.resource import Res


class Spec(NamedTuple):
    """`kind` empty: every kind. `create`: objects without the field get it."""

    path: str
    kind: str = ""
    create: bool = False
    group: str = ""  # empty: any

    def fits(self, one: Res) -> bool:
        return self.kind in ("", one.kind) and self.group in ("", one.group)


POD_TERMS = tuple(
    Spec(f"spec/template/spec/{path}/labelSelector/matchLabels", kind)
    for kind in ("Deployment", "StatefulSet")
    for path in (
        *(
            f"affinity/{one}/{when}"
            for one in ("podAffinity", "podAntiAffinity")
            for when in (
                "preferredDuringSchedulingIgnoredDuringExecution[]/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution[]",
            )
        ),
        "topologySpreadConstraints[]",
    )
)
METADATA_LABELS = (Spec("metadata/labels", create=True),)
TEMPLATE_LABELS = (
    *(
        Spec("spec/template/metadata/labels", kind, True)
        for kind in ("ReplicationController", "Deployment", "ReplicaSet", "DaemonSet")
    ),
    Spec("spec/template/metadata/labels", "StatefulSet", True),
    Spec("spec/volumeClaimTemplates[]/metadata/labels", "StatefulSet", True),
    Spec("spec/template/metadata/labels", "Job", True),
    Spec("spec/jobTemplate/metadata/labels", "CronJob", True),
    Spec("spec/jobTemplate/spec/template/metadata/labels", "CronJob", True),
)
SELECTORS = (
    Spec("spec/selector", "Service", True),
    Spec("spec/selector", "ReplicationController", True),
    *(Spec("spec/selector/matchLabels", kind, True) for kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")),
    *POD_TERMS,
    Spec("spec/selector/matchLabels", "Job"),
    Spec("spec/jobTemplate/spec/selector/matchLabels", "CronJob"),
    Spec("spec/selector/matchLabels", "PodDisruptionBudget"),
    Spec("spec/podSelector/matchLabels", "NetworkPolicy"),
    Spec("spec/ingress[]/from[]/podSelector/matchLabels", "NetworkPolicy"),
    Spec("spec/egress[]/to[]/podSelector/matchLabels", "NetworkPolicy"),
)
ANNOTATIONS = (
    Spec("metadata/annotations", create=True),
    *(
        Spec("spec/template/metadata/annotations", kind, True)
        for kind in ("ReplicationController", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job")
    ),
    Spec("spec/jobTemplate/metadata/annotations", "CronJob", True),
    Spec("spec/jobTemplate/spec/template/metadata/annotations", "CronJob", True),
)
POD_SPECS = (
    ("Pod", "spec"),
    *(
        (kind, "spec/template/spec")
        for kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "ReplicationController", "Job")
    ),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
)


def _in_pods(*paths: str) -> tuple[Spec, ...]:
    return tuple(Spec(f"{pod}/{path}", kind) for kind, pod in POD_SPECS for path in paths)


def _in_containers(path: str) -> tuple[str, ...]:
    return tuple(f"{field}[]/{path}" for field in ("containers", "initContainers", "ephemeralContainers"))


HOOKS = tuple(
    Spec("webhooks[]/clientConfig/service/name", kind)
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
)
CLAIMABLE = ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
# Which fields hold the name of an object of the kind. A field that holds a mapping (`subjects[]`) has `name` and `namespace`.
REFERENCES: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    *((kind, (Spec("spec/scaleTargetRef/name", "HorizontalPodAutoscaler"),)) for kind in CLAIMABLE),
    (
        "ConfigMap",
        (
            *_in_pods("volumes[]/configMap/name", "volumes[]/projected/sources[]/configMap/name"),
            *_in_pods(*_in_containers("env[]/valueFrom/configMapKeyRef/name"), *_in_containers("envFrom[]/configMapRef/name")),
            Spec("spec/configSource/configMap/name", "Node"),
            Spec("rules[]/resourceNames", "Role"),
            Spec("rules[]/resourceNames", "ClusterRole"),
            Spec("metadata/annotations/nginx.ingress.kubernetes.io~1fastcgi-params-configmap", "Ingress"),
        ),
    ),
    (
        "Secret",
        (
            *_in_pods("volumes[]/secret/secretName", "volumes[]/projected/sources[]/secret/name", "imagePullSecrets[]/name"),
            *_in_pods(*_in_containers("env[]/valueFrom/secretKeyRef/name"), *_in_containers("envFrom[]/secretRef/name")),
            *_in_pods("volumes[]/csi/nodePublishSecretRef/name"),
            Spec("secrets[]/name", "ServiceAccount"),
            Spec("imagePullSecrets[]/name", "ServiceAccount"),
            Spec("spec/tls[]/secretName", "Ingress"),
            Spec("metadata/annotations/ingress.kubernetes.io~1auth-secret", "Ingress"),
            Spec("metadata/annotations/nginx.ingress.kubernetes.io~1auth-secret", "Ingress"),
            Spec("metadata/annotations/nginx.ingress.kubernetes.io~1auth-tls-secret", "Ingress"),
            Spec("parameters/secretName", "StorageClass"),
            Spec("parameters/adminSecretName", "StorageClass"),
            Spec("parameters/userSecretName", "StorageClass"),
            Spec("parameters/secretRef", "StorageClass"),
            Spec("rules[]/resourceNames", "Role"),
            Spec("rules[]/resourceNames", "ClusterRole"),
            Spec("spec/azureFile/secretName", "PersistentVolume"),
        ),
    ),
    (
        "Service",
        (
            Spec("spec/serviceName", "StatefulSet"),
            Spec("spec/rules[]/http/paths[]/backend/service/name", "Ingress"),
            Spec("spec/defaultBackend/service/name", "Ingress"),
            Spec("spec/rules[]/http/paths[]/backend/serviceName", "Ingress"),
            Spec("spec/backend/serviceName", "Ingress"),
            Spec("spec/service/name", "APIService"),
            *HOOKS,
        ),
    ),
    ("Role", (Spec("roleRef/name", "RoleBinding"),)),
    ("ClusterRole", (Spec("roleRef/name", "RoleBinding"), Spec("roleRef/name", "ClusterRoleBinding"))),
    (
        "ServiceAccount",
        (
            Spec("subjects[]", "RoleBinding"),
            Spec("subjects[]", "ClusterRoleBinding"),
            *_in_pods("serviceAccountName"),
        ),
    ),
    ("PersistentVolumeClaim", _in_pods("volumes[]/persistentVolumeClaim/claimName")),
    ("PersistentVolume", (Spec("spec/volumeName", "PersistentVolumeClaim"), Spec("rules[]/resourceNames", "ClusterRole"))),
    (
        "StorageClass",
        (
            Spec("spec/storageClassName", "PersistentVolume"),
            Spec("spec/storageClassName", "PersistentVolumeClaim"),
            Spec("spec/volumeClaimTemplates[]/spec/storageClassName", "StatefulSet"),
        ),
    ),
    ("PriorityClass", _in_pods("priorityClassName")),
    ("IngressClass", (Spec("spec/ingressClassName", "Ingress"),)),
)


def change(tree: Tree, path: str, change: Callable[[Any], Any], *, create: bool = False) -> None:
    """Give the value at the path, wherever there is one, to `change`, and put what comes back in its place.

    `create`: a mapping that is missing is made, and given as an empty one.
    """
    _change(tree, [step.replace("~1", "/") for step in path.split("/")], change, create)


def _change(tree: Any, steps: Sequence[str], change: Callable[[Any], Any], create: bool) -> None:
    step, rest = steps[0], steps[1:]
    many = step.endswith("[]")
    name = step.removesuffix("[]")
    if not isinstance(tree, dict):
        return
    if tree.get(name) is None:
        if not create or many:
            return
        tree[name] = {}
    if many:
        items = tree[name] if isinstance(tree[name], list) else []
        for at, item in enumerate(items):
            if rest:
                _change(item, rest, change, create)
            else:
                items[at] = change(item)
    elif rest:
        _change(tree[name], rest, change, create)
    else:
        tree[name] = change(tree[name])


def containers(tree: Any) -> Iterator[Tree]:
    """Every container anywhere in an object of any kind."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name in ("containers", "initContainers") and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            yield from containers(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from containers(item)
