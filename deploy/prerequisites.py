"""What the tests need of the machine, installed where it is missing: the programs of a cluster, its container engine, and the
oldest kubectl that the distribution ships, unpacked into a directory of its own.

`python -m deploy.prerequisites DIRECTORY`; exits 1 with one line where it cannot be had.
"""

import os
import sys
from pathlib import Path

from deploy import host
from deploy.progress import StepFailed


def main() -> int:
    """Install what is missing; the tests start their own engine, so its packages are needed even where one answers."""
    if os.geteuid() != 0:
        print("not root: the node and e2e tests need namespaces and Docker; run `sudo make test`", file=sys.stderr)
        return 1
    missing = host.missing_packages(engine_answers=False)
    kubectl = Path(sys.argv[1]).absolute()
    try:
        if missing:
            print(f"installing {' '.join(missing)}", flush=True)
            host.install(missing)
        if not (kubectl / "usr" / "bin" / "kubectl").exists():
            host.unpack("kubernetes-client", kubectl)
    except StepFailed as failure:
        print(f"{failure.why}; {failure.remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
