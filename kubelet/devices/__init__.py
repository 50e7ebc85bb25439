"""Device plugins: hardware that vendors' programs tell of, counted by the node and handed to containers."""
