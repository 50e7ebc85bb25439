"""The built-in plugins, one rule a file; none knows another one. profiles.py puts them together.

node_unschedulable.py   node_name.py   taint_toleration.py   node_affinity.py   node_ports.py        where a pod may be at all
node_resources_fit.py   node_resources_balanced.py   image_locality.py                               room, and what suits best
pod_topology_spread.py   inter_pod_affinity.py                                                       other pods
volume_restrictions.py   node_volume_limits.py   volume_binding.py   volume_zone.py                  its claims
"""

OF_PLACED_PODS = frozenset(("InterPodAffinity", "PodTopologySpread"))  # may change their mind where a pod is placed
OF_VOLUMES = frozenset(("NodeVolumeLimits", "VolumeBinding", "VolumeRestrictions", "VolumeZone"))  # and these with claims
