"""The version that every program tells: the Kubernetes release whose behaviour is kept, and Skiff's own."""

import platform
import sys

MAJOR, MINOR = "1", "36"
SKIFF = "0.1.0"
GIT_VERSION = f"v{MAJOR}.{MINOR}.0+skiff.{SKIFF}"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())  # in Go's words


def version_info() -> dict[str, str]:
    """What /version answers (apimachinery version.Info)."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": str(int(MINOR) - 1),
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{python}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{MACHINE}",
    }


def user_agent(program: str) -> str:
    return f"{program}/v{MAJOR}.{MINOR}.0 (linux/{MACHINE}) skiff/{SKIFF}"
