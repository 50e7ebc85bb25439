"""kube-controller-manager: the loops that bring the cluster to the state that its objects ask for."""
