"""Pod network of a node: one bridge, a veth pair a pod, addresses from the node's own range, no agent and no plugin.

`bridge.BridgeNetwork` is the door; `addresses`, `rules`, `routes`, `policy` and `policy_text` decide, `links`, `node_links` and
`packet_filter` do, `node_routes` and `policies` follow the API. `cni_network.CniNetwork` is the other door: plugins, if configured.
https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""
