"""CNI plugins: ADD, CHECK and DEL of a network list, as the specification has a runtime do it.

ADD runs the plugins in order, each with the result of the one before, and writes the last result down together with what was
asked; CHECK and DEL get that, DEL in the opposite order, also when there is no result. A list whose ADD failed is deleted.
A plugin speaks JSON on its standard streams; what it says of an error is what the pod's event says.
https://www.cni.dev/docs/spec/ (sections 2 to 4)
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from kubelet.network.cni_config import NetworkList, execution_config
from kubelet.pod_network import NetworkFailure

PLUGIN_SECONDS = 60.0
INTERFACE = "eth0"


class Attachment(NamedTuple):
    """A pod's place in the network: its sandbox, its namespace's file (empty: gone), and what it asked for."""

    container: str
    namespace: str
    arguments: str  # CNI_ARGS
    asked: dict[str, Any]


class CniPlugins:
    """Runs a network's plugins; `cache` is where results are kept."""

    def __init__(self, network: NetworkList, binaries: Path, cache: Path) -> None:
        self._network = network
        self._binaries = binaries
        self._cache = cache

    async def add(self, pod: Attachment) -> dict[str, Any]:
        """Returns the result of the last plugin. Raises NetworkFailure, with nothing left of the attempt."""
        result: dict[str, Any] | None = None
        self._remember(pod, None)
        try:
            for plugin in self._network.plugins:
                result = await self._execute("ADD", plugin, pod, result)
        except NetworkFailure:
            await self.delete(pod.container)
            raise
        self._remember(pod, result)
        return result or {}

    async def check(self, pod: Attachment) -> None:
        """Raises NetworkFailure where the pod's network is not as it was made; a network may not know how to tell."""
        known = self._known(pod.container)
        if known is None or not self._network.checks:
            return
        for plugin in self._network.plugins:
            await self._execute("CHECK", plugin, pod, known["result"])

    async def delete(self, container: str) -> None:
        """By what was written down at ADD; of a pod that nobody knows, nothing. Raises NetworkFailure: it is to be tried again."""
        known = self._known(container)
        if known is None:
            return
        pod = Attachment(container, _still_there(known["namespace"]), known["arguments"], known["asked"])
        for plugin in reversed(self._network.plugins):
            await self._execute("DEL", plugin, pod, known["result"])
        self._file(container).unlink(missing_ok=True)

    def result(self, container: str) -> dict[str, Any] | None:
        """What ADD gave, as written down."""
        known = self._known(container)
        found: dict[str, Any] | None = known["result"] if known is not None else None
        return found

    def namespace(self, container: str) -> str:
        known = self._known(container)
        return str(known["namespace"]) if known is not None else ""

    def known(self) -> list[str]:
        """All containers that have been added."""
        return [path.name.removesuffix(".json") for path in self._cache.glob("*.json")]

    async def _execute(
        self, command: str, plugin: dict[str, Any], pod: Attachment, previous: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        program = self._binaries / plugin["type"]
        if not program.is_file():
            raise NetworkFailure(f'failed to find plugin "{plugin["type"]}" in path [{self._binaries}]')
        environment = {
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": pod.container,
            "CNI_NETNS": pod.namespace,
            "CNI_IFNAME": INTERFACE,
            "CNI_ARGS": pod.arguments,
            "CNI_PATH": str(self._binaries),
        }
        config = json.dumps(execution_config(self._network, plugin, previous, pod.asked)).encode()
        output, errors, code = await _run(program, environment, config)
        if code != 0:
            raise NetworkFailure(f'plugin type="{plugin["type"]}" failed ({command.lower()}): {_reason(output, errors)}')
        return _decoded(output) if command == "ADD" else None

    def _remember(self, pod: Attachment, result: dict[str, Any] | None) -> None:
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(pod.container)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({**pod._asdict(), "result": result}))
        fresh.replace(file)

    def _known(self, container: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._file(container).read_text())
        except FileNotFoundError:
            return None
        return found

    def _file(self, container: str) -> Path:
        return self._cache / f"{container}.json"


def _still_there(namespace: str) -> str:
    """A namespace's file, or nothing where the namespace is gone: DEL is asked without it, then."""
    return namespace if os.path.exists(namespace) else ""


async def _run(program: Path, environment: dict[str, str], config: bytes) -> tuple[bytes, bytes, int]:
    """A program that is not waited for any more is ended: the next one would meet it at work."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(program, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    except OSError as error:
        raise NetworkFailure(f"{program.name}: {error}") from error
    try:
        async with asyncio.timeout(PLUGIN_SECONDS):
            output, errors = await process.communicate(config)
    except TimeoutError:
        raise NetworkFailure(f"{program.name}: no answer within {PLUGIN_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output, errors, process.returncode or 0


def _decoded(output: bytes) -> dict[str, Any]:
    try:
        found = json.loads(output or b"{}")
    except ValueError as error:
        raise NetworkFailure(f"the plugin's result is no JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def _reason(output: bytes, errors: bytes) -> str:
    """The error that the plugin tells, or what it wrote instead."""
    try:
        told = json.loads(output)
        return ": ".join(str(told[name]) for name in ("msg", "details") if told.get(name))
    except (ValueError, AttributeError):
        return (errors or output).decode(errors="replace").strip() or "no reason given"
