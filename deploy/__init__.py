"""How clusters come to be: certificates, images, manifests, and one machine's processes."""
