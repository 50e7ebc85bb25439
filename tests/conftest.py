"""Which tests run side by side: those that share a thing made once (a cluster, a control plane, a lab) stay in one process.

`make test` runs two processes (`-n 2`). The others are handed out one by one; the largest group begins first.
https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("e2e", "interop", "lab", "node")  # folders whose tests share a session's fixture, or the kernel's tables


class ByFolder(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """What is never divided: such a folder, or one test."""
        folder = nodeid.split("/")[1]
        return folder if folder in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFolder:
    return ByFolder(config, log)
