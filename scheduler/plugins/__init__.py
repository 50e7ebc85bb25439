"""The default profile: the plugins in the order in which they run, which is also the order of their reasons' cost."""

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
    NearRequiredPods(),
    AwayFromPods(),
    WantedByPlacedPods(),
)

SCORES: tuple[tuple[ScorePlugin, float], ...] = (
    (TaintToleration(), 3.0),
    (NodeAffinity(), 2.0),
    (PodTopologySpread(), 2.0),
    (InterPodAffinity(), 2.0),
    (NodeResourcesFit(), 1.0),
    (NodeResourcesBalancedAllocation(), 1.0),
    (ImageLocality(), 1.0),
)

DEFAULT = Profile(DEFAULT_NAME, FILTERS, SCORES)

OF_PLACED_PODS = frozenset(("InterPodAffinity", "PodTopologySpread"))  # may change their mind where a pod is placed
OF_VOLUMES = frozenset(
    ("NodeVolumeLimits", "VolumeBinding", "VolumeRestrictions", "VolumeZone")
)  # may change their mind with claims
