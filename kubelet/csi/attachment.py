"""Attachment: what the API server knows of a driver's volumes on this node: the driver's wishes, attachments, secrets.

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from kube.api.attachment_name import attachment_name
from kube.api.status import ApiError, NotFound
from kube.api.types import CSIDriver, Pod, Secret, VolumeAttachment
from kube.client.rest import Client, Unreachable
from kubelet.csi.plugins import Plugins
from kubelet.csi.socket import DriverError


class NodeObjects:
    def __init__(self, plugins: Plugins | None) -> None:
        self._node = plugins.node_name if plugins is not None else ""
        self._client = plugins.client if plugins is not None else None

    def _asked(self) -> Client:
        if self._client is None:
            raise DriverError("this kubelet has no API server")
        return self._client

    async def driver(self, name: str) -> CSIDriver | None:
        try:
            return await self._asked().get(CSIDriver, "", name)
        except NotFound:
            return None
        except (ApiError, Unreachable) as error:
            raise DriverError(f"failed to get CSIDriver {name}: {error}") from error

    async def publish_context(self, driver: str, handle: str, told: CSIDriver | None) -> Mapping[str, str]:
        """What attaching brought about. Raises DriverError while the volume is not attached, where the driver wants that."""
        if told is not None and told.spec.attachRequired is False:
            return {}
        name = attachment_name(handle, driver, self._node)
        try:
            found = await self._asked().get(VolumeAttachment, "", name)
        except (ApiError, Unreachable) as error:
            raise DriverError(f"volume attachment {name} cannot be read: {error}") from error
        if found.status is None or not found.status.attached:
            raise DriverError(f"volume is not attached: {name}")
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
