"""Unmodified clients of others against our API server: the component tests' fixtures serve it."""

from tests.component.conftest import api_config, apiserver, client, etcd, runner

__all__ = ["api_config", "apiserver", "client", "etcd", "runner"]
