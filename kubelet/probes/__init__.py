"""Probes: whether a container has started, lives, and is ready: the rules (`probe`) and the asking (`prober`)."""
