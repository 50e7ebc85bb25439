"""PyPI's clients, unmodified: each program of programs/ in a run of its own, which prints the client's version and `ok`."""

from pathlib import Path

import pytest

from tests.interop.control_plane import ControlPlane

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.parametrize("program", sorted(path.stem for path in PROGRAMS.glob("*.py")))
def test_unmodified_client_works(control_plane: ControlPlane, program: str) -> None:
    printed = control_plane.python(PROGRAMS / f"{program}.py")
    print(printed)
    assert printed.endswith("ok\n")
