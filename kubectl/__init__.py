"""kubectl: the command line of a cluster."""
