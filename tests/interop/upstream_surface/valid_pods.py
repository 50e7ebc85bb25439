"""Valid pods: what must stand in the pod of a sample, wherever it is (a template, a job's template), each with its reason."""

from typing import Any

from tests.interop.upstream_surface.paths import ABSENT

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}
# Of a volume's source: by field, what stands there.
VOLUMES: dict[str, dict[str, Any]] = {
    "hostPath": {"type": ""},  # one of a set
    "iscsi": {"iqn": "iqn.2001-04.com.example:x", "initiatorName": "iqn.2001-04.com.example:y"},  # names of this form
    "flocker": {"datasetUUID": ABSENT},  # the alternative to datasetName
    "downwardAPI": {"items[0].fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}, "items[0].resourceFieldRef": ABSENT},
    "fc": {"wwids": ABSENT},  # the alternative to targetWWNs
    "quobyte": {"registry": "a:1"},  # host:port
    "csi": {"driver": "example.com", "nodePublishSecretRef.name": "x"},  # complaints about the latter name another field
    "ephemeral": {"volumeClaimTemplate.metadata": {"labels": {"a": "b"}}, "volumeClaimTemplate.spec": CLAIM},
    "projected": {
        "sources[0].downwardAPI.items[0].fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"},
        "sources[0].downwardAPI.items[0].resourceFieldRef": ABSENT,
    },
}

# What admission writes into a pod, by the class that is named.
ADMITTED = ("priorityClassName", "priority", "preemptionPolicy", "runtimeClassName", "overhead")


def _container(at: str, name: str) -> dict[str, Any]:
    return {
        f"{at}.name": name,
        f"{at}.envFrom[0].secretRef": ABSENT,  # the alternative to configMapRef
        f"{at}.volumeMounts[0].name": "hostpath",
        f"{at}.volumeMounts[0].mountPropagation": "None",
        f"{at}.volumeMounts[0].recursiveReadOnly": "Disabled",
        f"{at}.volumeMounts[0].subPathExpr": ABSENT,  # the alternative to subPath
        f"{at}.volumeDevices[0].name": "persistentvolumeclaim",
        f"{at}.resources.claims[0].name": "claim",
        f"{at}.resizePolicy[0]": {"resourceName": "cpu", "restartPolicy": "NotRequired"},
        f"{at}.livenessProbe.successThreshold": 1,
        f"{at}.startupProbe.successThreshold": 1,
        f"{at}.readinessProbe.terminationGracePeriodSeconds": ABSENT,  # nothing is killed for it
        f"{at}.securityContext.windowsOptions": ABSENT,  # a pod is for one system
        f"{at}.ports[0].hostPort": 3,  # hostNetwork: the same as containerPort
    }


def pod(at: str, *, alone: bool = False) -> dict[str, Any]:
    """`at` is what stands before `spec`. `alone`: a pod of its own, not of a controller's."""
    spec = f"{at}spec"
    affinity = f"{spec}.affinity.nodeAffinity"
    terms = (
        "requiredDuringSchedulingIgnoredDuringExecution[0]",
        "preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm",
    )
    made = {
        f"{spec}.serviceAccountName": "default",
        f"{spec}.serviceAccount": "default",  # the same
        f"{spec}.os": {"name": "linux"},
        f"{spec}.resourceClaims[0]": {"name": "claim", "resourceClaimName": "x"},
        **_container(f"{spec}.containers[0]", "one"),
        **_container(f"{spec}.initContainers[0]", "init"),
        f"{spec}.ephemeralContainers": ABSENT,  # come by a subresource
        f"{spec}.resources": {"requests": {"cpu": "9"}, "limits": {"cpu": "9"}},
        f"{spec}.hostPID": ABSENT,  # the alternative to shareProcessNamespace
        f"{spec}.securityContext.sysctls[0].name": "kernel.x",
        f"{spec}.securityContext.windowsOptions": ABSENT,
        f"{affinity}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key": "metadata.name",
        f"{affinity}.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].key": "metadata.name",
        **{
            f"{spec}.{kind}.{term}.namespaces": ["default"]
            for kind in ("affinity.podAffinity", "affinity.podAntiAffinity")
            for term in terms
        },
        f"{spec}.tolerations[0]": {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 5},
        f"{spec}.overhead": {"cpu": "1"},
        f"{spec}.restartPolicy": "Always",
    }
    if alone:
        return {**made, **{f"{spec}.{name}": ABSENT for name in (*ADMITTED, "nodeName")}}  # has gates: no node yet
    labels = {"matchLabelsKey": "matchLabelsValue", "keyValue": "valuesValue", "selectorKey": "selectorValue"}
    return {**made, f"{spec}.activeDeadlineSeconds": ABSENT, f"{at}metadata.labels": labels}  # what the selector wants
