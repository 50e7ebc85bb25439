"""What the tests need of the machine, installed where it is missing: the programs of a cluster and its container engine.

`python -m deploy.prerequisites`; exits 1 with one line where it cannot be had.
"""

import os
import sys

from deploy import host
from deploy.progress import StepFailed


def main() -> int:
    """Install what is missing; the tests start their own engine, so its packages are needed even where one answers."""
    if os.geteuid() != 0:
        print("not root: the node and e2e tests need namespaces and Docker; run `sudo make test`", file=sys.stderr)
        return 1
    missing = host.missing_packages(engine_answers=False)
    if not missing:
        return 0
    print(f"installing {' '.join(missing)}", flush=True)
    try:
        host.install(missing)
    except StepFailed as failure:
        print(f"{failure.why}; {failure.remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
