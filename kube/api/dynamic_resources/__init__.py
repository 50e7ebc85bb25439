"""Dynamic resource allocation: claims of devices, and the devices that there are (resource.k8s.io/v1)."""
