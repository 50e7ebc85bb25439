"""Handlers: what is done with a request for a resource; dispatch.py chooses one."""
