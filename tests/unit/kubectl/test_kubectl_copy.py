"""Where kubectl cp copies from and to, and what it takes out of an archive."""

import io
import tarfile
from pathlib import Path

import pytest

from kubectl.archives import FORMAT, Place, Unpacking, pack, place, stripped
from kubectl.errors import CommandError


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("/tmp/foo", Place("/tmp/foo")),
        ("pod:/foo", Place("/foo", "pod")),
        ("ns/pod:foo/bar", Place("foo/bar", "pod", "ns")),
        ("pod:", Place("", "pod")),
        ("./a:b", Place("b", "a", ".")),
    ],
)
def test_a_place_is_here_or_in_a_pod(text: str, where: Place) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/"""
    assert place(text) == where


@pytest.mark.parametrize("text", [":/foo", "a/b/c:/foo", "/pod:/foo", "ns/:/foo"])
def test_a_place_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(CommandError) as error:
        place(text)
    assert str(error.value) == FORMAT


@pytest.mark.parametrize(
    ("path", "name"), [("/tmp/foo", "tmp/foo"), ("../../etc", "etc"), ("./a/../b", "b"), (".", ""), ("/", ""), ("..", "")]
)
def test_entries_are_named_below_a_directory(path: str, name: str) -> None:
    assert stripped(path) == name


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "below" / "file").write_bytes(b"\0" * 100_000)
    (source / "empty").mkdir()
    stream = io.BytesIO()
    pack(source, "there", stream)
    (tmp_path / "into").mkdir()
    stream.seek(0)
    assert Unpacking("there", tmp_path / "into", pytest.fail).run(stream) == 4
    assert (tmp_path / "into" / "there" / "below" / "file").read_bytes() == b"\0" * 100_000
    assert (tmp_path / "into" / "there" / "empty").is_dir()


def test_nothing_is_written_outside_of_the_destination(tmp_path: Path) -> None:
    """Rule: CVE-2018-1002100, CVE-2019-1002101: an archive of a hostile container."""
    warnings: list[str] = []
    (tmp_path / "into").mkdir()
    stream = archive(("there/../../../evil", "file"), ("there/link", "link"), ("there/good", "file"))
    Unpacking("there", tmp_path / "into", warnings.append).run(stream)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == ["into", "into/there", "into/there/good"]
    assert warnings == [
        f'warning: file "{tmp_path.parent / "evil"}" is outside target destination, skipping',
        f'warning: skipping symlink: "{tmp_path / "into" / "there" / "link"}" -> "/etc/passwd"',
    ]


def test_entries_that_were_not_asked_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="tar contents corrupted"):
        Unpacking("there", tmp_path, pytest.fail).run(archive(("elsewhere", "file")))


def archive(*entries: tuple[str, str]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|") as made:
        for name, kind in entries:
            entry = tarfile.TarInfo(name)
            if kind == "link":
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
                made.addfile(entry)
            else:
                entry.size = 3
                made.addfile(entry, io.BytesIO(b"abc"))
    stream.seek(0)
    return stream
