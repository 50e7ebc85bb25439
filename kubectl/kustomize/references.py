"""References: where one object names another that was renamed, the name follows.

An object may be named by any name that it had. Of several that fit, those of the referrer's namespace are meant, then those that
got the same prefixes and suffixes. kubernetes-sigs/kustomize api/internal/accumulator/namereferencetransformer.go
"""

from collections.abc import Sequence
from typing import Any

from kubectl.kustomize.fields import REFERENCES, Spec, change
from kubectl.kustomize.resource import CLUSTER_KINDS, Res


def follow(found: Sequence[Res]) -> None:
    """Update every reference in every object."""
    renamed = [one for one in found if one.had]
    for kind, specs in REFERENCES:
        targets = [one for one in renamed if one.kind == kind]
        if targets:
            for referrer in found:
                for spec in specs:
                    if spec.fits(referrer):
                        _update(referrer, spec, kind, targets)


def _update(referrer: Res, spec: Spec, kind: str, targets: Sequence[Res]) -> None:
    def updated(value: Any) -> Any:
        if isinstance(value, dict):
            return _subject(value, kind, targets)
        if isinstance(value, list):
            return [_named(referrer, item, kind, targets) for item in value]
        return _named(referrer, value, kind, targets)

    if spec.path == "roleRef/name" and (referrer.tree.get("roleRef") or {}).get("kind") != kind:
        return
    if spec.path == "spec/scaleTargetRef/name" and referrer.tree["spec"]["scaleTargetRef"].get("kind") != kind:
        return
    change(referrer.tree, spec.path, updated)


def _named(referrer: Res, name: Any, kind: str, targets: Sequence[Res]) -> Any:
    """The name that the object has now."""
    fitting = [one for one in targets if name in one.names]
    if kind not in CLUSTER_KINDS and referrer.kind not in CLUSTER_KINDS:
        fitting = [one for one in fitting if one.namespace == referrer.namespace] or [
            one for one in fitting if any(namespace == referrer.namespace for _, namespace in one.had)
        ]
    if len(fitting) > 1:
        alike = [one for one in fitting if (one.prefixes, one.suffixes) == (referrer.prefixes, referrer.suffixes)]
        fitting = alike or fitting
    return fitting[0].name if fitting else name


def _subject(subject: dict[str, Any], kind: str, targets: Sequence[Res]) -> dict[str, Any]:
    """A service account among a binding's subjects: name and namespace."""
    if subject.get("kind") != kind:
        return subject
    given = subject.get("namespace", "")
    fitting = [
        one
        for one in targets
        if subject.get("name") in one.names and given in (one.namespace, *(space for _, space in one.had), "default")
    ]
    if not fitting:
        return subject
    chosen = fitting[0]
    return {**subject, "name": chosen.name, **({"namespace": chosen.namespace} if chosen.namespace else {})}
