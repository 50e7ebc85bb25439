"""Cluster DNS: the names of Services and pods, answered from the API; everything else, forwarded."""
