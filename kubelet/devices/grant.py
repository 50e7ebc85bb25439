"""Grant: what a container needs to use its devices, as their plugins answered. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubelet.container_error import ConfigError
from kubelet.runtime.runtime import Device, Mount


@dataclass(frozen=True)
class Granted:
    env: Mapping[str, str] = field(default_factory=dict)  # what the container itself sets goes first
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


NOTHING_GRANTED = Granted()


def granted(answers: Iterable[Mapping[str, Any]]) -> Granted:
    """Of all of a container's resources. Raises ConfigError for what this node's engine cannot do."""
    env: dict[str, str] = {}
    annotations: dict[str, str] = {}
    mounts, devices = [], []
    for answer in answers:
        if answer.get("cdi_devices"):
            names = ", ".join(one.get("name", "") for one in answer["cdi_devices"])
            raise ConfigError(f"unresolvable CDI devices {names}: the container engine has no CDI")
        env |= answer.get("envs", {})
        annotations |= answer.get("annotations", {})
        mounts += [Mount(one["host_path"], one["container_path"], one.get("read_only", False)) for one in answer.get("mounts", ())]
        devices += [
            Device(one["host_path"], one["container_path"], one.get("permissions") or "rwm") for one in answer.get("devices", ())
        ]
    return Granted(env, tuple(mounts), tuple(devices), annotations)
