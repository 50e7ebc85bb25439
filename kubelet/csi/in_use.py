"""In use: the attached volumes that this node has mounted, or is about to mount: `volumesInUse` of the node's status.

What is named there is not detached. A volume is named before it is looked at whether it is attached, and until nothing of it is
left here; a kubelet that starts anew names what it finds on disk. Each change is one write of the whole list, by this alone.
https://kubernetes.io/docs/reference/node/node-status/ · upstream pkg/kubelet/nodestatus/setters.go VolumesInUse
"""

import asyncio
from pathlib import Path

from kube.api.meta import Key
from kube.api.status import ApiError
from kube.api.types import Node
from kube.api.views import view
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kubelet.csi.record import records

log = get_logger("kubelet.csi")


class InUse:
    def __init__(self, root: Path, node_name: str, client: Client | None) -> None:
        self._client = client
        self._node = node_name
        self._names = {place: record.in_use for place, record in records(root) if record.in_use}
        self._writing = asyncio.Lock()

    @property
    def names(self) -> list[str]:
        return sorted(set(self._names.values()))

    async def begin(self, place: Path, name: str) -> Node:
        """Tell that the volume is used at a place; returns the node as it stands then. Raises ApiError, Unreachable."""
        self._names[place] = name
        return await self._tell()

    async def end(self, place: Path) -> None:
        """Nothing of the volume is left there. Where that cannot be told now, `settle` will."""
        if self._names.pop(place, None) is None:
            return
        try:
            await self._tell()
        except (ApiError, Unreachable) as error:
            log.warning("volumes in use not told", reason=error)

    async def settle(self, node: Node | None) -> None:
        """Tell again, if the node says anything else. Raises ApiError, Unreachable."""
        if node is not None and list(node.status.volumesInUse or ()) != self.names:
            await self._tell()

    async def _tell(self) -> Node:
        assert self._client is not None, "without an API server nothing is attached"
        async with self._writing:
            patch = {"volumesInUse": self.names or None}
            return view(Node, await self._client.patch_status(Node, Key("", self._node), patch))
