"""Messages: the shapes of what the kubelet says to storage drivers, and of what they answer.

https://github.com/container-storage-interface/spec/blob/master/csi.proto
https://kubernetes.io/docs/reference/node/kubelet-files/#plugin-registration (pluginregistration.v1)
"""

from typing import NamedTuple

from kubelet.csi.protobuf import BOOL, MAP, NUMBER, TEXT, TEXTS, Field, Shape

NOTHING: Shape = {}
_MOUNT: Shape = {"fs_type": Field(1, TEXT), "mount_flags": Field(2, TEXTS), "volume_mount_group": Field(3, TEXT)}
_MODE: Shape = {"mode": Field(1, NUMBER)}
_CAPABILITY: Shape = {"block": Field(1, NOTHING), "mount": Field(2, _MOUNT), "access_mode": Field(3, _MODE)}
_RPC: Shape = {"type": Field(1, NUMBER)}
_NODE_CAPABILITY: Shape = {"rpc": Field(1, _RPC)}
_TOPOLOGY: Shape = {"segments": Field(1, MAP)}

_USAGE: Shape = {"available": Field(1, NUMBER), "total": Field(2, NUMBER), "used": Field(3, NUMBER), "unit": Field(4, NUMBER)}
_RANGE: Shape = {"required_bytes": Field(1, NUMBER), "limit_bytes": Field(2, NUMBER)}

# NodeServiceCapability.RPC.Type
STAGE_UNSTAGE, GET_VOLUME_STATS, EXPAND_VOLUME, SINGLE_NODE_MULTI_WRITER, VOLUME_MOUNT_GROUP = 1, 2, 3, 5, 6

# VolumeCapability.AccessMode.Mode, by what a PersistentVolume says.
SINGLE_NODE_WRITER = 1
ACCESS_MODES = {"ReadWriteOnce": 1, "ReadOnlyMany": 3, "ReadWriteMany": 5, "ReadWriteOncePod": 1}
FINE_ACCESS_MODES = {**ACCESS_MODES, "ReadWriteOnce": 7, "ReadWriteOncePod": 6}  # for drivers that tell one pod from several

BYTES, INODES = 1, 2  # VolumeUsage.Unit


class Call(NamedTuple):
    path: str
    request: Shape
    answer: Shape


GET_INFO = Call(
    "/pluginregistration.Registration/GetInfo",
    NOTHING,
    {"type": Field(1, TEXT), "name": Field(2, TEXT), "endpoint": Field(3, TEXT), "supported_versions": Field(4, TEXTS)},
)
NOTIFY = Call(
    "/pluginregistration.Registration/NotifyRegistrationStatus",
    {"plugin_registered": Field(1, BOOL), "error": Field(2, TEXT)},
    NOTHING,
)
NODE_GET_INFO = Call(
    "/csi.v1.Node/NodeGetInfo",
    NOTHING,
    {"node_id": Field(1, TEXT), "max_volumes_per_node": Field(2, NUMBER), "accessible_topology": Field(3, _TOPOLOGY)},
)
NODE_GET_CAPABILITIES = Call(
    "/csi.v1.Node/NodeGetCapabilities", NOTHING, {"capabilities": Field(1, _NODE_CAPABILITY, repeated=True)}
)
NODE_STAGE = Call(
    "/csi.v1.Node/NodeStageVolume",
    {
        "volume_id": Field(1, TEXT),
        "publish_context": Field(2, MAP),
        "staging_target_path": Field(3, TEXT),
        "volume_capability": Field(4, _CAPABILITY),
        "secrets": Field(5, MAP),
        "volume_context": Field(6, MAP),
    },
    NOTHING,
)
NODE_UNSTAGE = Call("/csi.v1.Node/NodeUnstageVolume", {"volume_id": Field(1, TEXT), "staging_target_path": Field(2, TEXT)}, NOTHING)
NODE_PUBLISH = Call(
    "/csi.v1.Node/NodePublishVolume",
    {
        "volume_id": Field(1, TEXT),
        "publish_context": Field(2, MAP),
        "staging_target_path": Field(3, TEXT),
        "target_path": Field(4, TEXT),
        "volume_capability": Field(5, _CAPABILITY),
        "readonly": Field(6, BOOL),
        "secrets": Field(7, MAP),
        "volume_context": Field(8, MAP),
    },
    NOTHING,
)
NODE_UNPUBLISH = Call("/csi.v1.Node/NodeUnpublishVolume", {"volume_id": Field(1, TEXT), "target_path": Field(2, TEXT)}, NOTHING)
NODE_GET_VOLUME_STATS = Call(
    "/csi.v1.Node/NodeGetVolumeStats",
    {"volume_id": Field(1, TEXT), "volume_path": Field(2, TEXT), "staging_target_path": Field(3, TEXT)},
    {"usage": Field(1, _USAGE, repeated=True)},
)
NODE_EXPAND = Call(
    "/csi.v1.Node/NodeExpandVolume",
    {
        "volume_id": Field(1, TEXT),
        "volume_path": Field(2, TEXT),
        "capacity_range": Field(3, _RANGE),
        "staging_target_path": Field(4, TEXT),
        "volume_capability": Field(5, _CAPABILITY),
        "secrets": Field(6, MAP),
    },
    {"capacity_bytes": Field(1, NUMBER)},
)
