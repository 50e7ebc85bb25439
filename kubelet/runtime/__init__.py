"""The container runtime: what the kubelet asks of it (`runtime`), and Docker (`docker`), behind the one door to it."""
