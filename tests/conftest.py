"""Which tests run side by side: those that share a thing made once (a cluster, a control plane, a lab) stay in one process.

`make test` runs three processes (`-n 3`). Two take the clusters, the largest group first: these wait more than they compute. The
third takes the others one by one, and fills the cores meanwhile; who has no more of his kind takes of the other.
https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = ("e2e", "interop", "lab", "node")  # folders whose tests share a session's fixture, or the kernel's tables
FOR_CLUSTERS = ("gw0", "gw1")  # the processes that begin with these folders


class ByFolder(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """What is never divided: such a folder, or one test."""
        folder = nodeid.split("/")[1]
        return folder if folder in TOGETHER else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        """The next in the queue, in which folders come first; for the other processes, the next single test."""
        if node.gateway.id not in FOR_CLUSTERS:
            single = next((scope for scope in self.workqueue if scope not in TOGETHER), None)
            if single is not None:
                self.workqueue.move_to_end(single, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFolder:
    return ByFolder(config, log)
