"""metrics-server: what nodes and pods use of cpu and memory, for `kubectl top` and autoscalers (metrics.k8s.io/v1beta1)."""
