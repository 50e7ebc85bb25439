"""Pod network of a node: one bridge, a veth pair a pod, addresses from the node's own range, no agent and no plugin.

`bridge.BridgeNetwork` is the door; `addresses` and `rules` decide, `links` and `packet_filter` do.
https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""
