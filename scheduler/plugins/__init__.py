"""The default profile: the plugins in the order in which they run, which is also the order of their reasons' cost."""

from scheduler.framework import FilterPlugin, ScorePlugin
from scheduler.plugins.node_affinity import NodeAffinity
from scheduler.plugins.node_name import NodeName
from scheduler.plugins.node_ports import NodePorts
from scheduler.plugins.node_resources_balanced import NodeResourcesBalancedAllocation
from scheduler.plugins.node_resources_fit import NodeResourcesFit
from scheduler.plugins.node_unschedulable import NodeUnschedulable
from scheduler.plugins.pod_topology_spread import PodTopologySpread
from scheduler.plugins.taint_toleration import TaintToleration

FILTERS: tuple[FilterPlugin, ...] = (
    NodeUnschedulable(),
    NodeName(),
    TaintToleration(),
    NodeAffinity(),
    NodePorts(),
    NodeResourcesFit(),
    PodTopologySpread(),
)

SCORES: tuple[ScorePlugin, ...] = (
    TaintToleration(),
    NodeAffinity(),
    PodTopologySpread(),
    NodeResourcesFit(),
    NodeResourcesBalancedAllocation(),
)
