"""Files that are for their owner alone."""

from pathlib import Path

import pytest

from kube.component.private_file import write_private


def test_a_private_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """# what if a program is killed while it writes its key

    Rule: a kubelet that starts again reads its key and kubeconfig as they were before, or as they are now
    """
    path = tmp_path / "kubelet.key"
    write_private(path, b"old")
    with pytest.raises(TypeError):
        write_private(path, "it cannot be written")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path], "nothing is left of the attempt that failed"
