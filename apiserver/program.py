"""The program: flags → config → as many workers as they ask for → run."""

import os
from functools import partial

from apiserver.config import Config
from apiserver.workers import first, other
from apiserver.workers.fork import fork, workers_for
from kube.component import flags
from kube.component.run import run as run_program

PROGRAM = "kube-apiserver"


def main() -> None:
    config = flags.parse(Config, prog=PROGRAM)
    forked = fork(workers_for(config.worker_processes, len(os.sched_getaffinity(0))))
    if forked.first is None:
        run_program(PROGRAM, partial(first.run, forked), config)
    else:
        run_program(PROGRAM, partial(other.run, forked), config, signals=(), tell=partial(other.tell_why, forked.first))
