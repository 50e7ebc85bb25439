"""The program: flags → config → what they have every worker import → as many workers as they ask for → run."""

import os
from functools import partial
from importlib import import_module

from apiserver.config import Config
from apiserver.workers import first, other
from apiserver.workers.fork import fork, workers_for
from kube.component import flags
from kube.component.run import run as run_program

PROGRAM = "kube-apiserver"
IMPORTED_LATE = {  # and before the fork where these flags are given: once, into memory that all workers share
    "requestheader_client_ca_file": ("cryptography.x509",),
    "service_account_key_file": ("cryptography.hazmat.primitives.serialization", "jwt"),
    "audit_policy_file": ("yaml",),
}


def main() -> None:
    config = flags.parse(Config, prog=PROGRAM)
    for flag, modules in IMPORTED_LATE.items():
        for module in modules if getattr(config, flag) else ():
            import_module(module)
    forked = fork(workers_for(config.worker_processes, len(os.sched_getaffinity(0))))
    if forked.first is None:
        run_program(PROGRAM, partial(first.run, forked), config)
    else:
        run_program(PROGRAM, partial(other.run, forked), config, signals=(), tell=partial(other.tell_why, forked.first))
