"""kube-controller-manager: flags -> config -> build -> run."""

from controller_manager.config import Config
from controller_manager.start import PROGRAM, start
from kube.component import flags
from kube.component.run import run


def main() -> None:
    run(PROGRAM, start, flags.parse(Config, prog=PROGRAM))


if __name__ == "__main__":
    main()
