"""Profiles: from a KubeSchedulerConfiguration to the plugins that run under each scheduler's name.

A profile begins with the default plugins. `plugins` takes some away and gives weights (at one extension point, `filter` or `score`,
or at all of them, `multiPoint`; `*` means every one), and `pluginConfig` gives some of them arguments. Pods choose by
spec.schedulerName. There are no plugins but the built-in ones.
https://kubernetes.io/docs/reference/scheduling/config/ · https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kube.api.meta import Tree
from kube.component.logging import get_logger
from kube.component.run import StartupError
from scheduler.framework import FilterPlugin, Profile, ScorePlugin
from scheduler.plugins.image_locality import ImageLocality
from scheduler.plugins.inter_pod_affinity import AwayFromPods, InterPodAffinity, NearRequiredPods, WantedByPlacedPods
from scheduler.plugins.node_affinity import NodeAffinity
from scheduler.plugins.node_name import NodeName
from scheduler.plugins.node_ports import NodePorts
from scheduler.plugins.node_resources_balanced import NodeResourcesBalancedAllocation
from scheduler.plugins.node_resources_fit import NodeResourcesFit
from scheduler.plugins.node_unschedulable import NodeUnschedulable
from scheduler.plugins.node_volume_limits import NodeVolumeLimits
from scheduler.plugins.pod_topology_spread import PodTopologySpread
from scheduler.plugins.taint_toleration import TaintToleration
from scheduler.plugins.volume_binding import VolumeBinding
from scheduler.plugins.volume_restrictions import VolumeRestrictions
from scheduler.plugins.volume_zone import VolumeZone

DEFAULT_NAME = "default-scheduler"
VERSION, KIND = "kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration"
READ = frozenset(("apiVersion", "kind", "profiles"))
ALL = "*"
PREEMPTION = "DefaultPreemption"  # may be disabled; it is no plugin here (preemption.py)
# Of upstream's, what is the scheduler's own work here: they may be named, and who disables them is told that it has no effect.
ELSEWHERE = frozenset(("PrioritySort", "SchedulingGates", "DefaultBinder", "DynamicResources"))
POINTS = ("filter", "score")
OTHER_POINTS = ("preEnqueue", "queueSort", "preFilter", "postFilter", "preScore", "reserve", "permit", "preBind", "bind")

Arguments = Mapping[str, Any]

log = get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """A plugin of upstream's name: what it filters by and what it scores by, made from its arguments."""

    filters: Callable[[Arguments], Sequence[FilterPlugin]] = lambda arguments: ()
    score: Callable[[Arguments], ScorePlugin] | None = None
    weight: float = 1.0
    arguments: frozenset[str] = frozenset()  # those that are read


# In the order in which they run: the dear ones last, on nodes that the cheap ones left.
PLUGINS: Mapping[str, Parts] = {
    "NodeUnschedulable": Parts(lambda _: (NodeUnschedulable(),)),
    "NodeName": Parts(lambda _: (NodeName(),)),
    "TaintToleration": Parts(lambda _: (TaintToleration(),), lambda _: TaintToleration(), 3.0),
    "NodeAffinity": Parts(lambda given: (NodeAffinity.of(given),), NodeAffinity.of, 2.0, frozenset(("addedAffinity",))),
    "NodePorts": Parts(lambda _: (NodePorts(),)),
    "NodeResourcesFit": Parts(
        lambda given: (NodeResourcesFit.of(given),), NodeResourcesFit.of, arguments=frozenset(("scoringStrategy",))
    ),
    "VolumeRestrictions": Parts(lambda _: (VolumeRestrictions(),)),
    "NodeVolumeLimits": Parts(lambda _: (NodeVolumeLimits(),)),
    "VolumeBinding": Parts(lambda _: (VolumeBinding(),)),
    "VolumeZone": Parts(lambda _: (VolumeZone(),)),
    "PodTopologySpread": Parts(
        lambda given: (PodTopologySpread.of(given),),
        PodTopologySpread.of,
        2.0,
        frozenset(("defaultConstraints", "defaultingType")),
    ),
    "InterPodAffinity": Parts(
        lambda _: (NearRequiredPods(), AwayFromPods(), WantedByPlacedPods()),
        InterPodAffinity.of,
        2.0,
        frozenset(("hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods")),
    ),
    "NodeResourcesBalancedAllocation": Parts(score=NodeResourcesBalancedAllocation.of, arguments=frozenset(("resources",))),
    "ImageLocality": Parts(score=lambda _: ImageLocality()),
}


def profile_of(tree: Tree) -> Profile:
    """Of one entry of `profiles`. Raises StartupError."""
    name = tree.get("schedulerName") or DEFAULT_NAME
    arguments = {one["name"]: one.get("args") or {} for one in tree.get("pluginConfig") or ()}
    stated = tree.get("plugins") or {}
    for plugin in {*arguments, *_named(stated)} - {*PLUGINS, *ELSEWHERE, PREEMPTION, ALL}:
        raise StartupError(f'initializing profiles: creating profile for scheduler name {name}: plugin "{plugin}" does not exist')
    for text in _without_effect(stated, arguments):
        log.warning("configuration has no effect", profile=name, what=text)
    filters, scores = (_weights(stated, point) for point in POINTS)
    return Profile(
        name,
        [made for plugin in filters for made in PLUGINS[plugin].filters(arguments.get(plugin, {}))],
        [
            (score(arguments.get(plugin, {})), weight)
            for plugin, weight in scores.items()
            if (score := PLUGINS[plugin].score) is not None
        ],
        preempts=_preempts(stated),
    )


def profiles_of(path: Path | None) -> dict[str, Profile]:
    """By their names; without a file the default one. Raises StartupError."""
    if path is None:
        return {DEFAULT_NAME: profile_of({})}
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise StartupError(f"failed to load the scheduler's configuration, path: {path}, error: {error}") from error
    if (tree.get("apiVersion"), tree.get("kind")) != (VERSION, KIND):
        raise StartupError(f'no kind "{tree.get("kind")}" is registered for version "{tree.get("apiVersion")}" in scheme')
    for field in sorted(set(tree) - READ):
        log.warning("field of the configuration file has no effect", field=field)
    found = [profile_of(one) for one in tree.get("profiles") or [{}]]
    names = [one.name for one in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise StartupError(f'profiles[{index}].schedulerName: Duplicate value: "{name}"')
    return dict(zip(names, found, strict=True))


def _named(stated: Tree) -> Iterable[str]:
    for point in ("multiPoint", *POINTS, *OTHER_POINTS, "postBind"):
        for side in ("enabled", "disabled"):
            for one in (stated.get(point) or {}).get(side) or ():
                yield one["name"]


def _without_effect(stated: Tree, arguments: Mapping[str, Arguments]) -> Iterable[str]:
    for plugin, given in arguments.items():
        read = PLUGINS[plugin].arguments if plugin in PLUGINS else frozenset()
        for field in sorted(set(given) - read - {"apiVersion", "kind"}):
            yield f"pluginConfig {plugin}: {field}"
    for point in ("multiPoint", *OTHER_POINTS, "postBind"):
        for one in (stated.get(point) or {}).get("disabled") or ():
            if one["name"] in ELSEWHERE:
                yield f"plugins.{point}.disabled: {one['name']}"


def _preempts(stated: Tree) -> bool:
    """What a point says comes after multiPoint."""
    found = True
    for point in ("multiPoint", "postFilter"):
        named = {side: {one["name"] for one in (stated.get(point) or {}).get(side) or ()} for side in ("disabled", "enabled")}
        found = PREEMPTION in named["enabled"] or (found and not named["disabled"] & {PREEMPTION, ALL})
    return found


def _weights(stated: Tree, point: str) -> dict[str, float]:
    """The plugins at an extension point, with their weights: the default ones, changed by `multiPoint`, then by the point's own."""
    found = {name: parts.weight for name, parts in PLUGINS.items()}
    for side in (stated.get("multiPoint") or {}, stated.get(point) or {}):
        gone = {one["name"] for one in side.get("disabled") or ()}
        found = {name: weight for name, weight in found.items() if name not in gone and ALL not in gone}
        for one in side.get("enabled") or ():
            if one["name"] in PLUGINS:
                found[one["name"]] = float(one.get("weight") or PLUGINS[one["name"]].weight)
    return {name: found[name] for name in PLUGINS if name in found}
