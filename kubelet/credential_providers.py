"""Credential providers: programs of this node that are asked for the logins of a registry (a cloud's, say).

A provider is a program in `--image-credential-provider-bin-dir`; `--image-credential-provider-config` (a CredentialProviderConfig)
says for which images each is asked. It reads a CredentialProviderRequest and writes a CredentialProviderResponse; what it said is
kept as long and for as much (the image, its registry, all) as it says. One that fails is told in the log, and the pull goes on
without it.
Not built: `tokenAttributes` (a pod's service account token in the request); a configuration that has them is refused.
https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/ · upstream pkg/credentialprovider/plugin
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from kube.component.clock import Clock
from kube.component.logging import get_logger
from kube.component.run import StartupError
from kubelet.config import seconds
from kubelet.pull_secrets import Login, holds, logins_of, place_of, place_of_image

log = get_logger("kubelet.images")

CONFIG_GROUP, GROUP = "kubelet.config.k8s.io", "credentialprovider.kubelet.k8s.io"
EXEC_SECONDS = 60.0


@dataclass(frozen=True)
class Provider:
    name: str
    program: Path
    images: tuple[str, ...]  # patterns: host, port and the beginning of the path
    default_seconds: float  # how long an answer that does not say so is kept
    api_version: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None

    def serves(self, image: str) -> bool:
        return any(holds(place_of(pattern), place_of_image(image)) for pattern in self.images)


class CredentialProviders:
    def __init__(self, providers: tuple[Provider, ...], clock: Clock) -> None:
        self._providers = providers
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, list[Login]]] = {}  # by provider and what it holds for; until when
        self._asking = asyncio.Lock()  # several pods that start at once ask once

    async def logins(self, image: str) -> list[Login]:
        found = []
        for provider in self._providers:
            if provider.serves(image):
                async with self._asking:
                    found += await self._of(provider, image)
        return found

    async def _of(self, provider: Provider, image: str) -> list[Login]:
        now = self._clock.monotonic()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        for key in scopes(image).values():
            if (provider.name, key) in self._kept:
                return self._kept[provider.name, key][1]
        try:
            answer = await asked(provider, image)
            logins, key = list(logins_of(answer.get("auth") or {})), scopes(image)[answer["cacheKeyType"]]
            kept_for = seconds(answer["cacheDuration"]) if answer.get("cacheDuration") else provider.default_seconds
        except (OSError, ValueError, KeyError, StartupError) as error:
            log.error("credential provider plugin failed", plugin=provider.name, image=image, reason=repr(error))
            return []
        if kept_for > 0:
            self._kept[provider.name, key] = now + kept_for, logins
        return logins


def scopes(image: str) -> dict[str, str]:
    """By cacheKeyType, what an answer about the image is kept for. Pure."""
    place = place_of_image(image)
    return {"Image": image, "Registry": f"{place.host}:{place.port}", "Global": ""}


async def asked(provider: Provider, image: str) -> dict[str, Any]:
    """The provider's answer. Raises OSError, ValueError."""
    process = await asyncio.create_subprocess_exec(
        provider.program, *provider.args, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, **(provider.env or {})},
    )  # fmt: skip
    request = {"kind": "CredentialProviderRequest", "apiVersion": provider.api_version, "image": image}
    try:
        async with asyncio.timeout(EXEC_SECONDS):
            out, words = await process.communicate(orjson.dumps(request))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ValueError(f"exit status {process.returncode}: {words.decode(errors='replace').strip()}")
    answer = orjson.loads(out)
    if not isinstance(answer, dict) or answer.get("kind") != "CredentialProviderResponse":
        raise ValueError("its answer is no CredentialProviderResponse")
    if answer.get("apiVersion") != provider.api_version:
        raise ValueError(f"apiVersion from credential plugin response did not match expected apiVersion:{provider.api_version}")
    return answer


def loaded(config: Path | None, programs: Path | None) -> tuple[Provider, ...]:
    """As the flags say. Raises StartupError."""
    if config is None or programs is None:
        if config is not programs:
            raise StartupError("both --image-credential-provider-bin-dir and --image-credential-provider-config must be set")
        return ()
    try:
        tree = yaml.safe_load(config.read_text())
        if tree["kind"] != "CredentialProviderConfig" or not tree["apiVersion"].startswith(f"{CONFIG_GROUP}/"):
            raise ValueError("it is no CredentialProviderConfig")
        return tuple(_provider(one, programs) for one in tree["providers"])
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise StartupError(f"failed to load credential provider config {config}: {error!r}") from error


def _provider(tree: Mapping[str, Any], programs: Path) -> Provider:
    name, program = tree["name"], programs / tree["name"]
    if not os.access(program, os.X_OK):
        raise ValueError(f"plugin binary executable {program} did not exist")
    if tree.get("tokenAttributes"):
        raise ValueError(f"provider {name}: tokenAttributes are not supported")
    if not tree["apiVersion"].startswith(f"{GROUP}/"):
        raise ValueError(f"provider {name}: unsupported apiVersion {tree['apiVersion']}")
    return Provider(
        name, program, tuple(tree["matchImages"]), seconds(tree["defaultCacheDuration"]), tree["apiVersion"],
        tuple(tree.get("args") or ()), {one["name"]: one["value"] for one in tree.get("env") or ()},
    )  # fmt: skip
