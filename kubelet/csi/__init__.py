"""CSI: storage drivers beside the kubelet, asked over Unix sockets."""
