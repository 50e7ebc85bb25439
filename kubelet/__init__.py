"""kubelet: the agent of a node, which runs the pods bound to it."""
