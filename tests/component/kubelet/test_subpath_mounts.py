"""SubPath mounts, with the kernel's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.volumes import mounts, subpath


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """As a config map's: what it shows is a link to the directory that was written last."""
    top = tmp_path / "volume"
    for number in ("1", "2"):
        (top / number).mkdir(parents=True)
        (top / number / "key").write_text(f"value {number}")
    (top / "..data").symlink_to("1")
    (top / "key").symlink_to("..data/key")
    yield top
    mounts.unmount_below(tmp_path)


def switch(volume: Path) -> None:
    (volume / "new").symlink_to("2")
    (volume / "new").rename(volume / "..data")


@pytest.mark.root
def test_a_container_that_starts_again_sees_what_the_path_means_by_then(volume: Path) -> None:
    """One that runs keeps what it saw.

    Rule: upstream's suite, [sig-storage] Subpath Container restart should verify that container can restart successfully after
    configmaps modified
    """
    target = volume.parent / "target"
    assert subpath.mount(volume, "key", target).read_text() == "value 1"
    with target.open() as held:
        switch(volume)
        assert target.read_text() == "value 1"
        assert subpath.mount(volume, "key", target).read_text() == "value 2"
        assert held.read() == "value 1"
    subpath.mount(volume, "key", target)
    assert mounts.mounted_below(volume.parent) == [target]
    (volume / "key").unlink()
    (volume / "key").mkdir()
    assert subpath.mount(volume, "key", target).is_dir()


@pytest.mark.root
def test_a_part_that_is_made_has_the_mode_of_the_volume(volume: Path) -> None:
    """Rule: upstream pkg/volume/util/subpath (SafeMakeDir)"""
    volume.chmod(0o3777)
    made = subpath.mount(volume, "a/b", volume.parent / "target")
    assert made.stat().st_mode & 0o7777 == (volume / "a").stat().st_mode & 0o7777 == 0o3777
