"""kube-apiserver: what the process that is started does at first — import the program, without looking for garbage.

What is imported stays. The collector would go through all of it again and again; `workers/fork.py` puts it out of the collector's
sight and turns the collector on.
"""

import gc
from importlib import import_module


def main() -> None:
    gc.disable()
    import_module("apiserver.program").main()


if __name__ == "__main__":
    main()
