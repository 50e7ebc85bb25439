"""Which logins a registry is shown for an image."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import Pod, Secret
from kube.api.views import view
from kube.component.clock import SystemClock
from kubelet.container_error import NeverPull, PullBackoff, PullError
from kubelet.images import Images
from kubelet.pull_secrets import Login, Place, PullSecrets, Source, fitting, of_secret, place_of_image
from kubelet.pulled_images import PulledImages, repository
from kubelet.runtime.runtime import Image, ImageUnavailable
from tests.fake_runtime import FakeRuntime
from tests.unit.kubelet.pods import a_container, a_pod

RULE = "https://kubernetes.io/docs/concepts/containers/images/#config-json"


async def no_programs(image: str) -> Sequence[Login]:
    return ()


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def secret(auths: dict[str, Any], key: str = ".dockerconfigjson") -> Secret:
    tree = {"auths": auths} if key == ".dockerconfigjson" else auths
    return view(Secret, {"metadata": {"name": "login", "namespace": "default"}, "data": {key: base64(json.dumps(tree))}})


def users(image: str, auths: Sequence[str]) -> list[str]:
    """Whose logins are tried; each user is called as his place."""
    found = of_secret(secret({place: {"username": place, "password": "p"} for place in auths}))
    return [login.auth["username"] for login in fitting(image, found)]


def test_an_images_registry_is_docker_hub_unless_its_name_begins_with_a_host() -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#image-names"""
    assert place_of_image("busybox:1") == Place("index.docker.io", "", "busybox:1")
    assert place_of_image("docker.io/library/busybox") == Place("index.docker.io", "", "library/busybox")
    assert place_of_image("team/app:1") == Place("index.docker.io", "", "team/app:1")
    assert place_of_image("localhost/app") == Place("localhost", "", "app")
    assert place_of_image("registry.example:5000/team/app:1") == Place("registry.example", "5000", "team/app:1")


def test_a_login_holds_for_its_registry_or_the_part_of_it_that_it_names_the_longest_first() -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#config-json"""
    places = ["registry.example", "registry.example/team", "https://registry.example/v1/", "other.example", "registry.example:5000"]
    assert users("registry.example/team/app:1", places) == ["registry.example/team", *places[::2][:2]]
    assert users("registry.example/else/app:1", places) == ["registry.example", "https://registry.example/v1/"]
    assert users("registry.example:5000/app", places) == ["registry.example:5000"]
    assert users("busybox", ["https://index.docker.io/v1/", "registry.example"]) == ["https://index.docker.io/v1/"]


def test_a_wildcard_stands_for_one_part_of_a_hosts_name() -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#config-json"""
    assert users("my.registry.example/app", ["*.registry.example", "*.example", "m?.registry.*"]) == [
        "*.registry.example",
        "m?.registry.*",
    ]
    assert users("registry.example/app", ["*.registry.example"]) == []


def test_secrets_of_both_forms_are_read_and_others_refused() -> None:
    """Rule: https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets"""
    auth = {"registry.example": {"auth": base64("me:of:word")}}
    for one in (secret(auth), secret(auth, ".dockercfg")):
        assert [login.auth for login in of_secret(one)] == [{"username": "me", "password": "of:word"}]
    for wrong in (secret({}, "password"), secret({"registry.example": {"auth": base64("nobody")}})):
        with pytest.raises(ValueError, match=r"it (has neither|is not name:password)"):
            of_secret(wrong)


class Events:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def event(self, pod: Pod, type: str, reason: str, message: str, container: str = "") -> None:
        self.told.append((reason, message))


def test_a_pull_goes_on_without_a_secret_that_cannot_be_had_and_with_the_nodes_own_logins(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#configuring-nodes-to-authenticate-to-a-private-registry"""
    events = Events()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"registry.example": {"auth": base64("node:word")}}}))
    pod = a_pod(containers=[a_container("main")], imagePullSecrets=[{"name": "one"}, {"name": "two"}])
    found = asyncio.run(PullSecrets(None, tmp_path, events, no_programs).logins(pod, "registry.example/app:1"))
    assert [(login.auth, login.source) for login in found] == [({"username": "node", "password": "word"}, None)]
    text = "Unable to retrieve some image pull secrets (one, two); attempting to pull the image may not succeed."
    assert events.told == [("FailedToRetrieveImagePullSecret", text)]


class PrivateRegistry(FakeRuntime):
    """Gives its image to one user."""

    async def pull(self, name: str, auth: Mapping[str, str] | None) -> None:
        if (auth or {}).get("username") != "me":
            raise ImageUnavailable(f"pull access denied to {(auth or {}).get('username')}")
        self._images[name] = Image("sha256:1", (name,), 1, digests=(f"{name}@sha256:1",))


def login(user: str, secret: str, uid: str = "1") -> Login:
    return Login(Place("registry.example", "", ""), {"username": user}, Source(uid, "default", secret, user))


def test_logins_are_tried_one_after_another_and_a_pod_without_one_holds_no_other_up(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#config-json"""
    known = {"with": ("you", "me"), "without": ()}

    async def logins(pod: Pod, image: str) -> Sequence[Login]:
        return [login(name, name) for name in known[pod.metadata.name]]

    async def story() -> None:
        images = Images(PrivateRegistry(), Events(), SystemClock(), PulledImages(tmp_path), logins)
        container = a_pod(containers=[a_container("main", image="registry.example/app:1")]).spec.containers[0]
        without, having = (a_pod(metadata={"name": name, "uid": name}) for name in ("without", "with"))
        with pytest.raises(PullError, match="pull access denied to None"):
            await images.ensure(without, container)
        with pytest.raises(PullBackoff):
            await images.ensure(without, container)
        assert (await images.ensure(having, container)).tags == ("registry.example/app:1",)
        assert images.retry_at(without, container) is not None
        images.forget(without)
        assert images.retry_at(without, container) is None
        with pytest.raises(PullError, match="pull access denied to None"):
            await images.ensure(without, container)

        never = a_container("main", image="registry.example/app:1", imagePullPolicy="Never")
        with pytest.raises(PullBackoff):
            await images.ensure(without, container)  # though it is there
        with pytest.raises(NeverPull, match="does not have the proper credentials to run"):
            await images.ensure(without, a_pod(containers=[never]).spec.containers[0])
        assert (await images.ensure(having, container)).tags == ("registry.example/app:1",)

    asyncio.run(story())


def test_an_image_is_for_who_has_the_secret_that_brought_it_or_one_that_says_the_same(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification (KEP-2535)"""
    pulled, name = PulledImages(tmp_path), "registry.example/team/app:1"
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert pulled.for_all("sha256:1", name), "no kubelet pulled it"
    pulled.note("sha256:1", name, login("me", "mine"), now)
    again = PulledImages(tmp_path)
    assert not again.for_all("sha256:1", name)
    tried = (login("me", "mine"), login("rotated", "mine"), login("me", "other", "2"), login("you", "other", "2"))
    assert [again.allows("sha256:1", name, [one]) for one in tried] == [True, True, True, False]
    assert not again.allows("sha256:1", name, [login("me", "mine")._replace(source=None)])
    assert not again.allows("sha256:1", "registry.example/other:1", [login("me", "mine")]), "a login is for a repository"

    again.note("sha256:1", name, login("you", "other", "2"), now)
    assert again.allows("sha256:1", name, [login("me", "mine")])
    again.note("sha256:1", name, None, now)
    assert again.for_all("sha256:1", name)
    again.forget_others({"sha256:2"})
    assert list(tmp_path.glob("image_manager/pulled/*")) == []
    assert repository("localhost:5000/app:1@sha256:abc") == "localhost:5000/app"
