"""Images that a cluster needs, made on the spot: no registry, no compiler."""
