"""How CNI plugins are run: programs that fail, and programs that nobody waits for any more."""

import asyncio
import os
from pathlib import Path

import pytest

from kubelet.network.cni_config import parse_network
from kubelet.network.cni_plugins import Attachment, CniPlugins
from kubelet.pod_network import NetworkFailure
from tests.wait import eventually

POD = Attachment("uid", "", "", {})


def plugins(root: Path, program: str) -> CniPlugins:
    """A network of one plugin, which is this program."""
    file = root / "plug"
    file.write_text(program)
    file.chmod(0o755)
    return CniPlugins(parse_network({"name": "net", "cniVersion": "1.0.0", "type": "plug"}), root, root / "cache")


def test_a_program_that_cannot_be_run_is_a_failure_of_the_network(tmp_path: Path) -> None:
    """Rule: https://www.cni.dev/docs/spec/#error"""
    with pytest.raises(NetworkFailure, match="Exec format error"):
        asyncio.run(plugins(tmp_path, "no program").add(POD))


def test_a_program_that_is_not_waited_for_any_more_is_ended(tmp_path: Path) -> None:
    """# what if a pod is deleted while its network is made: DEL must not meet ADD at work

    Rule: https://www.cni.dev/docs/spec/#lifecycle--ordering
    """
    mark = tmp_path / "pid"
    network = plugins(
        tmp_path, f"#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\necho $$ > {mark}.new\nmv {mark}.new {mark}\nexec sleep 1000\n"
    )

    async def scenario() -> None:
        adding = asyncio.create_task(network.add(POD))

        async def begun() -> bool:
            return await asyncio.to_thread(mark.exists)

        await eventually(begun, within=5)
        adding.cancel()
        await asyncio.wait([adding])
        with pytest.raises(ProcessLookupError):
            os.kill(int(await asyncio.to_thread(mark.read_text)), 0)
        await network.delete(POD.container)
        assert network.known() == []

    asyncio.run(scenario())
