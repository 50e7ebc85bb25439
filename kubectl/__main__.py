"""`python -m kubectl`: run one command, end with its exit code."""

import sys


def main() -> None:
    from kubectl.app import run  # within main: Ctrl-C while the imports run ends quietly too

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
