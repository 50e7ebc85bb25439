"""What is valid, but old or surprising, is said of each kind that has such fields."""

import pytest

from tests.unit.kube_api.admitting import new, row_of, seen

CONTAINERS = "containers: [{name: c, image: i%s}]"
LABEL = (
    "[a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]"
)
SURPRISING = "which can result in surprising behavior; a DNS label is recommended: " + LABEL


def warned(text: str, old: str = "") -> list[str]:
    made = new(text)
    row = row_of(made)
    return list(row.warnings(seen(row, made), seen(row, new(old)) if old else None))


def pod(spec: str = "", container: str = "", metadata: str = "name: p") -> str:
    inner = ", ".join(part for part in (CONTAINERS % container, spec) if part)
    return f"{{apiVersion: v1, kind: Pod, metadata: {{{metadata}}}, spec: {{{inner}}}}}"


def workload(kind: str, spec: str = "", name: str = "w", group: str = "apps/v1") -> str:
    inner = f"selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {{{CONTAINERS % ''}{spec}}}}}"
    return f"{{apiVersion: {group}, kind: {kind}, metadata: {{name: {name}}}, spec: {{{inner}}}}}"


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pod(), []),
        (pod(metadata="name: a.b"), [f"metadata.name: this is used in the Pod's hostname, {SURPRISING}"]),
        (pod("nodeSelector: {beta.kubernetes.io/os: linux}"),
         ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
        (pod(f"affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{{matchExpressions: ["
             "{key: failure-domain.beta.kubernetes.io/zone, operator: Exists}]}]}}}"),
         [f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: "
          'failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead']),
        (pod(f"affinity: {{podAffinity: {{{REQUIRED}: [{{topologyKey: a}}]}}}}"),
         [f"spec.affinity.podAffinity.{REQUIRED}[0].labelSelector: a null labelSelector results in matching no pod"]),
        (pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]"),
         ["spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"]),
        (pod(metadata="name: p, annotations: {seccomp.security.alpha.kubernetes.io/pod: x}"),
         ["metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; "
          'use the "seccompProfile" field instead']),
        (pod("volumes: [{name: v, gitRepo: {repository: r}}]"),
         ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"]),
        (pod("imagePullSecrets: [{}]"), ['spec.imagePullSecrets[0].name: invalid empty name ""']),
        (pod(container=", env: [{name: A, value: a}, {name: A, value: b}]"),
         ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply']),
        (pod(container=", env: [{name: A, value: a}, {name: A, value: '$(A):b'}]"), []),
        (pod(container=", ports: [{containerPort: 80}, {containerPort: 80}]"),
         ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"]),
        (pod(container=", resources: {limits: {memory: 100m}, requests: {memory: '1'}}"),
         ['spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer']),
        (pod("terminationGracePeriodSeconds: -1"),
         ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_new_pod(text: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/api/pod/warnings.go"""
    assert warned(text) == expected


def test_nothing_is_said_of_a_changed_pod() -> None:
    """Rule: kubernetes pkg/registry/core/pod/strategy.go WarningsOnUpdate"""
    assert warned(pod("imagePullSecrets: [{}]"), pod()) == []


OLD_NODE = ", nodeSelector: {beta.kubernetes.io/os: linux}"
OLD_NODE_SAID = 'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_templates_are_looked_at_when_they_are_new(kind: str) -> None:
    """Rule: kubernetes pkg/registry/apps/deployment/strategy.go WarningsOnUpdate"""
    assert warned(workload(kind, OLD_NODE)) == [OLD_NODE_SAID]
    assert warned(workload(kind, OLD_NODE), workload(kind)) == [OLD_NODE_SAID]
    assert warned(workload(kind, OLD_NODE), workload(kind, OLD_NODE)) == []


@pytest.mark.parametrize(
    ("kind", "said"), [("Deployment", True), ("ReplicaSet", True), ("StatefulSet", False), ("DaemonSet", False)]
)
def test_names_that_become_host_names_should_be_labels(kind: str, said: bool) -> None:
    """Rule: kubernetes pkg/registry/apps/deployment/strategy.go WarningsOnCreate"""
    expected = [f"metadata.name: this is used in Pod names and hostnames, {SURPRISING}"] if said else []
    assert warned(workload(kind, name="a.b")) == expected
    assert warned(workload(kind, name="a.b"), workload(kind, name="a.b")) == []


def core(kind: str, spec: str, metadata: str = "name: x", group: str = "v1") -> str:
    return f"{{apiVersion: {group}, kind: {kind}, metadata: {{{metadata}}}, spec: {{{spec}}}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (core("PersistentVolume", "capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /a}, "
              "persistentVolumeReclaimPolicy: Recycle"),
         ["spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to "
          "use dynamic provisioning."]),
        (core("PersistentVolumeClaim", "accessModes: [ReadWriteOnce], resources: {requests: {storage: 100m}}"),
         ['spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer']),
        (core("Service", "clusterIP: None, externalIPs: [192.0.2.1], sessionAffinity: ClientIP, externalName: a"),
         ['spec.externalIPs is ignored when spec.clusterIP is "None"', "spec.SessionAffinity is ignored for headless services",
          'spec.externalName is ignored when spec.type is not "ExternalName"']),
        (core("Ingress", "defaultBackend: {service: {name: a, port: {number: 1}}}",
              "name: x, annotations: {kubernetes.io/ingress.class: a}", "networking.k8s.io/v1"),
         ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]),
        ("{apiVersion: v1, kind: ServiceAccount, metadata: {annotations: {kubernetes.io/enforce-mountable-secrets: 'true'}}}",
         ["metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to "
          "isolate access to mounted secrets"]),
        (workload("Job", group="batch/v1").replace("selector: {matchLabels: {a: b}}, ", "completionMode: Indexed, "
                  "completions: 100001, parallelism: 10001, "),
         ["In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not "
          "be able to track completedIndexes when a big number of indexes fail"]),
    ],
)  # fmt: skip
def test_what_is_said_of_other_kinds(text: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/api/{persistentvolume,persistentvolumeclaim,service,job}, pkg/registry/*/strategy.go"""
    assert warned(text) == expected
