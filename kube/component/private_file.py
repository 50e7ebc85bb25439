"""Private file: keys, tokens and kubeconfigs on the disk, whole or not at all, and for their owner alone from the first moment.

A program may be killed, or the machine lose its power, while it writes: what was there before stays until all of the new is there.
https://man7.org/linux/man-pages/man2/rename.2.html
"""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # half of it, of one who was killed
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
