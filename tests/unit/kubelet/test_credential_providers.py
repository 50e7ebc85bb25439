"""Programs that are asked for logins of registries."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kube.component.clock import SystemClock
from kube.component.run import StartupError
from kubelet.credential_providers import CredentialProviders, Provider, loaded

RULE = "https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/"
PROGRAM = """#!/bin/sh
cat >> {asked}; echo >> {asked}
[ -z "$BROKEN" ] || exit 3
printf '%s' '{{"kind": "CredentialProviderResponse", "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
  "cacheKeyType": "'$1'", "cacheDuration": '$2', "auth": {{"*.cloud.example": {{"username": "'$NAME'", "password": "p"}}}}}}'
"""


class Ahead(SystemClock):
    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def configured(tmp_path: Path, kept_for: str = "Registry", length: str = "null", **more: Any) -> tuple[Provider, ...]:
    program = tmp_path / "cloud-logins"
    program.write_text(PROGRAM.format(asked=tmp_path / "asked"))
    program.chmod(0o755)
    provider = {
        "name": "cloud-logins",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": ["*.cloud.example", "other.example/team"],
        "defaultCacheDuration": "1m",
        "args": [kept_for, length],
        "env": [{"name": "NAME", "value": "node"}],
        **more,
    }
    config = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return loaded(tmp_path / "config.yaml", tmp_path)


def told(tmp_path: Path, providers: tuple[Provider, ...], *images: str, ahead: float = 0) -> tuple[list[str], list[str]]:
    """Whose logins were found for the images, and the images that the program was asked for."""
    clock = Ahead()
    asker = CredentialProviders(providers, clock)

    async def ask() -> list[str]:
        found = []
        for image in images:
            found += [login.auth["username"] for login in await asker.logins(image)]
            clock.ahead += ahead
        return found

    names, asked = asyncio.run(ask()), tmp_path / "asked"
    requests = [json.loads(line) for line in asked.read_text().splitlines()] if asked.exists() else []
    assert all(one["kind"] == "CredentialProviderRequest" for one in requests)
    return names, [one["image"] for one in requests]


def test_a_provider_is_asked_for_its_images_alone(tmp_path: Path) -> None:
    images = ["eu.cloud.example/a", "cloud.example/a", "other.example/team/b", "other.example/else", "busybox"]
    names, asked = told(tmp_path, configured(tmp_path), *images)
    assert (names, asked) == (["node"] * 2, [images[0], images[2]]), RULE


@pytest.mark.parametrize(("kept_for", "asked"), [("Image", 3), ("Registry", 2), ("Global", 1)])
def test_an_answer_is_kept_for_as_much_as_it_says(tmp_path: Path, kept_for: str, asked: int) -> None:
    images = ["eu.cloud.example/a", "eu.cloud.example/a", "eu.cloud.example/b", "us.cloud.example/a"]
    names, requests = told(tmp_path, configured(tmp_path, kept_for), *images)
    assert (len(names), len(requests)) == (4, asked), RULE


@pytest.mark.parametrize(("length", "asked"), [("null", 1), ('"1s"', 2), ('"0s"', 2)])
def test_an_answer_is_kept_as_long_as_it_says_or_the_configuration_does(tmp_path: Path, length: str, asked: int) -> None:
    image = "eu.cloud.example/a"
    names, requests = told(tmp_path, configured(tmp_path, length=length), image, image, ahead=30)
    assert (len(names), len(requests)) == (2, asked), RULE


def test_a_provider_that_fails_leaves_the_pull_without_it(tmp_path: Path) -> None:
    broken = configured(tmp_path, env=[{"name": "BROKEN", "value": "yes"}])
    assert told(tmp_path, broken, "eu.cloud.example/a") == ([], ["eu.cloud.example/a"]), RULE


def test_a_configuration_that_cannot_be_kept_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="did not exist"):
        configured(tmp_path, name="absent")
    with pytest.raises(StartupError, match="tokenAttributes are not supported"):
        configured(tmp_path, tokenAttributes={"serviceAccountTokenAudience": "a"})
    with pytest.raises(StartupError, match="must be set"):
        loaded(tmp_path / "config.yaml", None)
    assert loaded(None, None) == (), RULE
