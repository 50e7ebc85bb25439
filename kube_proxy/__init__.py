"""kube-proxy: leads connections to Services to their endpoints, by rules in the kernel of every node."""
