"""Messages: the shapes of what the kubelet and device plugins say to each other (v1beta1).

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from kubelet.csi.messages import NOTHING, Call
from kubelet.csi.protobuf import BOOL, MAP, NUMBER, TEXT, TEXTS, Field, Shape

VERSION = "v1beta1"
HEALTHY = "Healthy"

_OPTIONS: Shape = {"pre_start_required": Field(1, BOOL), "get_preferred_allocation_available": Field(2, BOOL)}
_DEVICE: Shape = {"ID": Field(1, TEXT), "health": Field(2, TEXT)}
_IDS: Shape = {"devices_ids": Field(1, TEXTS)}
_MOUNT: Shape = {"container_path": Field(1, TEXT), "host_path": Field(2, TEXT), "read_only": Field(3, BOOL)}
_DEVICE_SPEC: Shape = {"container_path": Field(1, TEXT), "host_path": Field(2, TEXT), "permissions": Field(3, TEXT)}
_PREFERENCE: Shape = {
    "available_deviceIDs": Field(1, TEXTS),
    "must_include_deviceIDs": Field(2, TEXTS),
    "allocation_size": Field(3, NUMBER),
}

GRANT: Shape = {  # ContainerAllocateResponse
    "envs": Field(1, MAP),
    "mounts": Field(2, _MOUNT, repeated=True),
    "devices": Field(3, _DEVICE_SPEC, repeated=True),
    "annotations": Field(4, MAP),
    "cdi_devices": Field(5, {"name": Field(1, TEXT)}, repeated=True),
}

REGISTER = Call(
    f"/{VERSION}.Registration/Register",
    {"version": Field(1, TEXT), "endpoint": Field(2, TEXT), "resource_name": Field(3, TEXT), "options": Field(4, _OPTIONS)},
    NOTHING,
)
GET_OPTIONS = Call(f"/{VERSION}.DevicePlugin/GetDevicePluginOptions", NOTHING, _OPTIONS)
LIST_AND_WATCH = Call(f"/{VERSION}.DevicePlugin/ListAndWatch", NOTHING, {"devices": Field(1, _DEVICE, repeated=True)})
GET_PREFERRED = Call(
    f"/{VERSION}.DevicePlugin/GetPreferredAllocation",
    {"container_requests": Field(1, _PREFERENCE, repeated=True)},
    {"container_responses": Field(1, {"deviceIDs": Field(1, TEXTS)}, repeated=True)},
)
ALLOCATE = Call(
    f"/{VERSION}.DevicePlugin/Allocate",
    {"container_requests": Field(1, _IDS, repeated=True)},
    {"container_responses": Field(1, GRANT, repeated=True)},
)
PRE_START = Call(f"/{VERSION}.DevicePlugin/PreStartContainer", _IDS, NOTHING)
