"""Definitions in the style of well-known operators, generated: what controller-gen makes of Go types, kinds of Kubernetes inlined.

Certificate   small, with printed columns, enums and rules (cert-manager)
Prometheus    half a megabyte: most of a pod's fields and a claim's (prometheus-operator)
Workflow      nested lists of steps that have containers, unknown fields in places (Argo)
"""

from typing import Any

from kube.api.definitions import INT_OR_STRING, MICRO_TIME, QUANTITY, TIME, definitions
from kube.api.meta import Tree
from tests.component.apiserver_crd.crds import definition

CORE = "io.k8s.api.core.v1."
SELECTOR = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"
KEPT = (
    "description",
    "format",
    "required",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
)
AMOUNT = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
EITHER: Tree = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
OWN_FORMS: dict[str, Tree] = {
    INT_OR_STRING: EITHER,
    QUANTITY: {**EITHER, "pattern": AMOUNT},
    TIME: {"type": "string", "format": "date-time"},
    MICRO_TIME: {"type": "string", "format": "date-time"},
}
TEXT: Tree = {"type": "string"}
WHOLE: Tree = {"type": "integer", "format": "int32"}
CONDITIONS: Tree = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
    "items": {
        "type": "object",
        "required": ["type", "status"],
        "properties": {
            "type": TEXT, "reason": TEXT, "message": TEXT, "status": {**TEXT, "enum": ["True", "False", "Unknown"]},
            "lastTransitionTime": {**TEXT, "format": "date-time"}, "observedGeneration": {"type": "integer", "format": "int64"},
        },
    },
}  # fmt: skip
READY: Tree = {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type == "Ready")].status'}
AGE: Tree = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def inlined(name: str) -> Tree:
    """A built-in type as a structural schema."""
    return OWN_FORMS.get(name) or _structural(definitions()[name])


def _structural(raw: Tree) -> Tree:
    if "$ref" in raw:
        return {**inlined(raw["$ref"].rpartition("/")[2]), **({"description": raw["description"]} if "description" in raw else {})}
    made: Tree = {name: raw[name] for name in KEPT if name in raw}
    if isinstance(made.get("type"), list):  # ["string", "null"]
        made["type"] = made["type"][0]
    if "properties" in raw:
        made["properties"] = {name: _structural(one) for name, one in raw["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), dict):
            made[name] = _structural(raw[name])
    for key in made.get("x-kubernetes-list-map-keys", ()):
        if key not in made["items"].get("required", ()):
            made["items"]["properties"][key]["default"] = "TCP" if key == "protocol" else ""
    made.setdefault("type", "object")
    return made


def an_object(**properties: Tree) -> Tree:
    return {"type": "object", "properties": properties}


def several(item: Tree, **more: Any) -> Tree:
    return {"type": "array", "items": item, **more}


def certificate() -> Tree:
    reference = {**an_object(name=TEXT, kind=TEXT, group=TEXT), "required": ["name"]}
    key = an_object(
        algorithm={**TEXT, "enum": ["RSA", "ECDSA", "Ed25519"]},
        size={"type": "integer"},
        rotationPolicy={**TEXT, "enum": ["Never", "Always"]},
    )
    rule = "!has(self.algorithm) || self.algorithm != 'Ed25519' || !has(self.size)"
    key["x-kubernetes-validations"] = [{"rule": rule, "message": "Ed25519 keys have no size"}]
    spec = an_object(
        commonName=TEXT, dnsNames=several(TEXT), duration=TEXT, issuerRef=reference, privateKey=key, secretName=TEXT,
        usages=several({**TEXT, "enum": ["signing", "digital signature", "server auth", "client auth"]}),
    )  # fmt: skip
    schema = an_object(spec={**spec, "required": ["issuerRef", "secretName"]}, status=an_object(conditions=CONDITIONS))
    columns = [READY, {"name": "Secret", "type": "string", "jsonPath": ".spec.secretName"}, AGE]
    selectable = [{"jsonPath": ".spec.issuerRef.name"}]
    made = definition(
        "certificates", "certs.example.com", schema, subresources={"status": {}}, additionalPrinterColumns=columns,
        selectableFields=selectable,
    )  # fmt: skip
    made["spec"]["names"] |= {"shortNames": ["cert", "certs"], "categories": ["certs"]}
    return made


def prometheus() -> Tree:
    claim = an_object(apiVersion=TEXT, kind=TEXT, metadata={"type": "object"}, spec=inlined(f"{CORE}PersistentVolumeClaimSpec"))
    spec = an_object(
        replicas=WHOLE, version=TEXT, retention={**TEXT, "default": "24h", "pattern": "^(0|(([0-9]+)y)?(([0-9]+)d)?(([0-9]+)h)?)$"},
        containers=several(inlined(f"{CORE}Container")), initContainers=several(inlined(f"{CORE}Container")),
        volumes=several(inlined(f"{CORE}Volume")), volumeMounts=several(inlined(f"{CORE}VolumeMount")),
        affinity=inlined(f"{CORE}Affinity"), securityContext=inlined(f"{CORE}PodSecurityContext"),
        tolerations=several(inlined(f"{CORE}Toleration")), resources=inlined(f"{CORE}ResourceRequirements"),
        storage=an_object(volumeClaimTemplate=claim, ephemeral=inlined(f"{CORE}EphemeralVolumeSource")),
        serviceMonitorSelector=inlined(SELECTOR), ruleSelector=inlined(SELECTOR), podTemplate=inlined(f"{CORE}PodSpec"),
    )  # fmt: skip
    schema = an_object(spec=spec, status=an_object(conditions=CONDITIONS, replicas=WHOLE, selector=TEXT))
    scale = {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
    }  # fmt: skip
    columns = [{"name": "Version", "type": "string", "jsonPath": ".spec.version"}, READY, AGE]
    made = definition(
        "prometheuses", "watching.example.com", {**schema, "required": ["spec"]}, subresources={"status": {}, "scale": scale},
        additionalPrinterColumns=columns,
    )  # fmt: skip
    made["spec"]["names"] |= {"kind": "Prometheus", "shortNames": ["prom"], "categories": ["prometheus-operator"]}
    return made


def workflow() -> Tree:
    free: Tree = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    step = {**an_object(name=TEXT, template=TEXT, when=TEXT, arguments=free, withItems=several(free)), "required": ["name"]}
    template = an_object(
        name=TEXT, container=inlined(f"{CORE}Container"), steps=several(several(step)), inputs=free,
        dag=an_object(tasks=several(step, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]})),
    )  # fmt: skip
    spec = an_object(entrypoint=TEXT, templates=several(template), volumes=several(inlined(f"{CORE}Volume")), arguments=free)
    return definition("workflows", "flows.example.com", {**an_object(spec=spec, status=free), "required": ["spec"]})
