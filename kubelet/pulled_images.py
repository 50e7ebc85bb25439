"""Pulled images: which pods may have an image that is on the node because another pod's secret brought it.

An image that was pulled without a login, or with the node's own, is for all pods, and so is one that no kubelet pulled. One that a
pod's secret brought is for pods that have the same secret, or one that says the same; another pod has to show the registry its own.

    <root-dir>/image_manager/pulled/<image id>     an ImagePulledRecord, in upstream's form

https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification (KEP-2535)
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.api.views import timestamp
from kubelet.pull_secrets import Login

SECRETS, FOR_ALL = "kubernetesSecrets", "nodePodsAccessible"


class PulledImages:
    """All of it blocks for a small file's time."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "image_manager" / "pulled"

    def note(self, image_id: str, name: str, login: Login | None, now: datetime) -> None:
        """The image was pulled by this name, with this login."""
        record = noted(self._read(image_id), image_id, name, login, now)
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(image_id)
        fresh = file.with_name(f"{file.name}.new")
        fresh.write_bytes(orjson.dumps(record))
        fresh.replace(file)

    def for_all(self, image_id: str, name: str) -> bool:
        """Whether nobody has to show a login."""
        record = self._read(image_id)
        return record is None or bool(_mapping(record, name).get(FOR_ALL))

    def allows(self, image_id: str, name: str, logins: Iterable[Login]) -> bool:
        """Whether one of these is as good as the one that brought the image."""
        record = self._read(image_id)
        known = _mapping(record, name).get(SECRETS) or () if record is not None else ()
        return any(_same(one, login) for one in known for login in logins)

    def forget_others(self, image_ids: Collection[str]) -> None:
        """Only these images are there."""
        kept = {self._file(one).name for one in image_ids}
        for file in self._directory.iterdir() if self._directory.is_dir() else ():
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def _file(self, image_id: str) -> Path:
        return self._directory / image_id.replace(":", "-")

    def _read(self, image_id: str) -> Tree | None:
        try:
            found: Tree = orjson.loads(self._file(image_id).read_bytes())
        except FileNotFoundError:
            return None
        except orjson.JSONDecodeError:
            return {}  # nobody is known to have a login for it
        return found


def noted(record: Tree | None, image_id: str, name: str, login: Login | None, now: datetime) -> Tree:
    """The record with one more login. Pure."""
    mappings = dict((record or {}).get("credentialMapping") or {})
    mapping = dict(mappings.get(repository(name)) or {})
    if login is None or login.source is None:
        mapping = {FOR_ALL: True}
    elif not mapping.get(FOR_ALL):
        others = [one for one in mapping.get(SECRETS) or () if not _same_secret(one, login)]
        mapping[SECRETS] = [*others, login.source._asdict()]
    return {
        "kind": "ImagePulledRecord",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "lastUpdatedTime": timestamp(now),
        "imageRef": image_id,
        "credentialMapping": {**mappings, repository(name): mapping},
    }


def repository(name: str) -> str:
    """An image's name without tag and digest."""
    bare = name.partition("@")[0]
    head, slash, last = bare.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _mapping(record: Tree, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (record.get("credentialMapping") or {}).get(repository(name)) or {}
    return found


def _same(known: Tree, login: Login) -> bool:
    """The same secret (whose words may have changed since), or the same words."""
    return login.source is not None and (_same_secret(known, login) or known["credentialHash"] == login.source.credentialHash)


def _same_secret(known: Tree, login: Login) -> bool:
    source = login.source
    return source is not None and all(known.get(part) == getattr(source, part) for part in ("uid", "namespace", "name"))
