"""Attachment: what the API server knows of a driver's volumes on this node: the driver's wishes, attachments, secrets.

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kube.api.attachment_name import attachment_name, volume_name
from kube.api.status import ApiError, NotFound
from kube.api.types import CSIDriver, Pod, Secret, VolumeAttachment
from kube.client.rest import Client, Unreachable
from kubelet.csi.plugins import Plugins
from kubelet.csi.socket import DriverError


class NotAttachedYet(DriverError):
    """Others see to that."""


class NodeObjects:
    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def _asked(self) -> Client:
        if self._plugins.client is None:
            raise DriverError("this kubelet has no API server")
        return self._plugins.client

    async def driver(self, name: str) -> CSIDriver | None:
        try:
            return await self._asked().get(CSIDriver, "", name)
        except NotFound:
            return None
        except (ApiError, Unreachable) as error:
            raise DriverError(f"failed to get CSIDriver {name}: {error}") from error

    def attachment(self, driver: str, handle: str) -> str:
        """The VolumeAttachment's name."""
        return attachment_name(handle, driver, self._plugins.node_name)

    async def publish_context(self, driver: str, handle: str, place: Path) -> Mapping[str, str]:
        """What attaching brought about, once the volume is told to be in use at its place. Raises NotAttachedYet while it is not
        attached, or about to be detached."""
        client, name = self._asked(), self.attachment(driver, handle)
        try:
            node = await self._plugins.in_use.begin(place, volume_name(driver, handle))
            if all(one.name != volume_name(driver, handle) for one in node.status.volumesAttached or ()):
                raise NotAttachedYet(f"volume not attached according to node status for volume {handle}")
            found = await client.get(VolumeAttachment, "", name)
        except NotFound as error:
            raise NotAttachedYet(f"volume attachment {name} is not there") from error
        except (ApiError, Unreachable) as error:
            raise DriverError(f"volume attachment {name} cannot be read: {error}") from error
        if found.status is None or not found.status.attached or found.metadata.deletionTimestamp is not None:
            raise NotAttachedYet(f"volume is not attached: {name}")
        return dict(found.status.attachmentMetadata or {})

    async def secret(self, reference: Any, pod: Pod) -> Mapping[str, str]:
        """Of the pod's namespace, where the reference names none."""
        if reference is None:
            return {}
        namespace = getattr(reference, "namespace", None) or pod.metadata.namespace
        try:
            found = await self._asked().get(Secret, namespace, reference.name)
        except (ApiError, Unreachable) as error:
            raise DriverError(f"failed to get secret {namespace}/{reference.name}: {error}") from error
        return {name: b64decode(value).decode() for name, value in (found.data or {}).items()}
