"""From a pod being Ready, as a watcher sees it, to its Service leading to it: run inside the cluster's network.

python -m tests.bench.reach ADDRESS PORT     prints when a connection was made first, by the machine's monotonic clock
"""

import socket
import sys
import time

PAUSE_SECONDS, GIVE_UP_SECONDS = 0.001, 60.0


def first_connection(address: str, port: int) -> float:
    over = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < over:
        with socket.socket() as connection:
            connection.settimeout(0.2)
            try:
                connection.connect((address, port))
            except OSError:
                time.sleep(PAUSE_SECONDS)
                continue
            return time.monotonic()
    raise SystemExit(f"{address}:{port} was not reached")


if __name__ == "__main__":
    print(first_connection(sys.argv[1], int(sys.argv[2])))
