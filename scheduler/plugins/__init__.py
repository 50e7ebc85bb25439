"""The default profile: the plugins in the order in which they run, which is also the order of their reasons' cost."""

from scheduler.framework import FilterPlugin, ScorePlugin
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

FILTERS: tuple[FilterPlugin, ...] = (
    NodeUnschedulable(),
    NodeName(),
    TaintToleration(),
    NodeAffinity(),
    NodePorts(),
    NodeResourcesFit(),
    VolumeRestrictions(),
    NodeVolumeLimits(),
    VolumeBinding(),
    VolumeZone(),
    PodTopologySpread(),
)

OF_VOLUMES = frozenset(
    ("NodeVolumeLimits", "VolumeBinding", "VolumeRestrictions", "VolumeZone")
)  # may change their mind with claims

SCORES: tuple[ScorePlugin, ...] = (
    TaintToleration(),
    NodeAffinity(),
    PodTopologySpread(),
    NodeResourcesFit(),
    NodeResourcesBalancedAllocation(),
)
