"""Volumes in a description: what each one is, in a sentence, and its fields.

kubernetes/kubectl pkg/describe/describe.go describeVolumes
"""

from collections.abc import Callable, Sequence

from kube.api.meta import Tree

Rows = list[tuple[str, str | None]]  # None: a line that is no field


def volumes(found: Sequence[Tree] | None, *, indent: int = 0) -> str:
    space = "  " * indent
    if not found:
        return f"{space}Volumes:\t<none>\n"
    text = f"{space}Volumes:\n"
    for volume in found:
        text += f"  {' ' * indent}{volume['name']}:\n"
        text += rows({key: value for key, value in volume.items() if key != "name"})
    return text


def rows(volume: Tree) -> str:
    """What a volume is: the first field that names a source. A PersistentVolume has other fields beside it."""
    source = next((key for key in volume if key in KINDS), next(iter(volume), ""))
    found = KINDS[source](volume[source] or {}) if source in KINDS else [("Type", source or "<unknown>")]
    return "".join(f"    {name}:\t{cell}\n" if cell is not None else f"    {name}\n" for name, cell in found)


def _yes(value: object) -> str:
    return "true" if value else "false"


def _empty_dir(value: Tree) -> Rows:
    return [
        ("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)"),
        ("Medium", value.get("medium") or ""),
        ("SizeLimit", value.get("sizeLimit") or "<unset>"),
    ]


def _host_path(value: Tree) -> Rows:
    return [
        ("Type", "HostPath (bare host directory volume)"),
        ("Path", value.get("path", "")),
        ("HostPathType", value.get("type") or ""),
    ]


def _secret(value: Tree) -> Rows:
    return [
        ("Type", "Secret (a volume populated by a Secret)"),
        ("SecretName", value.get("secretName", "")),
        ("Optional", _yes(value.get("optional"))),
    ]


def _config_map(value: Tree) -> Rows:
    return [
        ("Type", "ConfigMap (a volume populated by a ConfigMap)"),
        ("Name", value.get("name", "")),
        ("Optional", _yes(value.get("optional"))),
    ]


def _claim(value: Tree) -> Rows:
    return [
        ("Type", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"),
        ("ClaimName", value.get("claimName", "")),
        ("ReadOnly", _yes(value.get("readOnly"))),
    ]


def _nfs(value: Tree) -> Rows:
    return [
        ("Type", "NFS (an NFS mount that lasts the lifetime of a pod)"),
        ("Server", value.get("server", "")),
        ("Path", value.get("path", "")),
        ("ReadOnly", _yes(value.get("readOnly"))),
    ]


def _downward(value: Tree) -> Rows:
    rows: Rows = [("Type", "DownwardAPI (a volume populated by information about the pod)"), ("Items:", None)]
    for item in value.get("items") or ():
        reference = item.get("fieldRef") or item.get("resourceFieldRef") or {}
        rows.append((f"  {reference.get('fieldPath') or reference.get('resource', '')} -> {item['path']}", None))
    return rows


def _projected(value: Tree) -> Rows:
    rows: Rows = [("Type", "Projected (a volume that contains injected data from multiple sources)")]
    for source in value.get("sources") or ():
        if source.get("secret"):
            rows += [("SecretName", source["secret"].get("name", "")), ("Optional", _yes(source["secret"].get("optional")))]
        elif source.get("downwardAPI"):
            rows.append(("DownwardAPI", "true"))
        elif source.get("configMap"):
            rows += [
                ("ConfigMapName", source["configMap"].get("name", "")),
                ("Optional", _yes(source["configMap"].get("optional"))),
            ]
        elif source.get("serviceAccountToken"):
            rows.append(("TokenExpirationSeconds", str(source["serviceAccountToken"].get("expirationSeconds", 3607))))
    return rows


def _csi(value: Tree) -> Rows:
    given = value.get("volumeAttributes") or {}
    rows: Rows = [("Type", "CSI (a Container Storage Interface (CSI) volume source)"), ("Driver", value.get("driver", ""))]
    rows += (
        [("FSType", value.get("fsType", "")), ("VolumeHandle", value.get("volumeHandle", ""))] if "volumeHandle" in value else []
    )
    rows.append(("ReadOnly", _yes(value.get("readOnly"))))
    first, *more = [f"{name}={given[name]}" for name in sorted(given)] or [""]
    return [*rows, ("VolumeAttributes", first), *((f"                           {one}", None) for one in more)]


def _local(value: Tree) -> Rows:
    return [("Type", "LocalVolume (a persistent volume backed by local storage on a node)"), ("Path", value.get("path", ""))]


def _ephemeral(value: Tree) -> Rows:
    spec = (value.get("volumeClaimTemplate") or {}).get("spec") or {}
    return [
        ("Type", "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)"),
        ("StorageClass", spec.get("storageClassName") or ""),
        ("Volume", spec.get("volumeName") or ""),
    ]


KINDS: dict[str, Callable[[Tree], Rows]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "downwardAPI": _downward,
    "projected": _projected,
    "csi": _csi,
    "local": _local,
    "ephemeral": _ephemeral,
}
