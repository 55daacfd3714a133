"""A small disk of the test's own (tmpfs) that can be filled and freed; skips aloud where mounting is not permitted."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.required import without
from tools.speed import patience

CHUNK_BYTES = 64 * 1024
MOUNT_S = 10


@dataclass(frozen=True)
class Disk:
    path: Path

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        """Until not one byte more fits."""
        filler = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            size = CHUNK_BYTES
            while size:
                try:
                    os.write(filler, bytes(size))
                except OSError:
                    size //= 2
        finally:
            os.close(filler)

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """Mounted below the temporary folder, readable for all (PostgreSQL runs as a user of its own)."""
    path = Path(tempfile.mkdtemp(prefix="disk-"))
    path.chmod(0o755)
    try:
        _mount(path, megabytes)
        try:
            yield Disk(path)
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True, timeout=patience(MOUNT_S))
    finally:
        path.rmdir()


def _mount(path: Path, megabytes: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience(MOUNT_S), check=False)
        why = done.stderr.strip()
    except OSError as error:
        why = str(error)
    if why:
        without("disk", f"no small disk can be mounted here: {why}")
