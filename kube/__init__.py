"""The shared library: what API objects are, how to talk to an API server, how a program boots."""
