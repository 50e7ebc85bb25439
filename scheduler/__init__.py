"""kube-scheduler: finds a node for each pod that has none."""
