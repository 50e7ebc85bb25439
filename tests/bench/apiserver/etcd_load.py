"""etcd alone, by the API server's own client: `python -m tests.bench.apiserver.etcd_load ENDPOINT WHAT AT_ONCE SECONDS`.

WHAT is txn (a guarded put of 1 KiB under a new key) or range (one key). Prints a line of JSON.
"""

import asyncio
import json
import os
import sys
import time

import uvloop

from apiserver.storage.etcd import Etcd

VALUE = b"x" * 1024


async def measure(endpoint: str, what: str, at_once: int, seconds: float) -> dict[str, float]:
    etcd = Etcd([endpoint])
    prefix = f"/bench-{os.getpid()}-{what}-{at_once}/"
    done = 0
    try:
        await etcd.put(prefix + "one", VALUE, 0)
        began, spent = time.monotonic(), time.process_time()
        deadline = began + seconds

        async def work(number: int) -> None:
            nonlocal done
            turn = 0
            while time.monotonic() < deadline:
                turn += 1
                if what == "txn":
                    await etcd.put(f"{prefix}{number}-{turn}", VALUE, 0)
                else:
                    await etcd.get(prefix + "one")
                done += 1

        await asyncio.gather(*(work(number) for number in range(at_once)))
        wall = time.monotonic() - began
        return {"rate": done / wall, "client_cpu_us": (time.process_time() - spent) / done * 1e6}
    finally:
        await etcd.close()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))))
