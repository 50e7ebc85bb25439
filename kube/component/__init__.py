"""How a program boots: flags, logging, signals, TLS, HTTP serving, health and metrics."""
