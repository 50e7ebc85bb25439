"""Unmodified clients of others against a control plane of our processes, one for all tests of a run."""

from collections.abc import Iterator

import pytest

from tests.interop.control_plane import ControlPlane, running


@pytest.fixture(scope="package")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running(tmp_path_factory.mktemp("interop")) as one:
        yield one
