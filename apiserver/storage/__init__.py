"""Storage: etcd, the watch cache in front of it, and the generic registry on top of both."""
