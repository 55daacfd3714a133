"""`reset`: asks, then deletes everything that a platform keeps in its folder but its ports."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.layout import running
from tools.servers import containers
from tools.servers.places import Kept

KINDS = ("kafka-postgres", "kafka-sqlite", "local-postgres")
FOLDERS = ("anchors", "anchors-until-*", "issuer", "logs", *KINDS)
FILES = (
    "*.db", "*.db-wal", "*.db-shm", "*.log", "*.key", "*.keys", "*.secrets", "platform.json", "processes.json", "dropped.jsonl",
)  # fmt: skip


def reset(given: argparse.Namespace) -> int:
    """0 when all is deleted or there was nothing; 1 when a platform runs, or the answer was not "yes"."""
    folder: Path = given.data
    if (pid := running(folder)) is not None:
        sys.stderr.write(f"a platform runs in {folder} (pid {pid}): `down` first\n")
        return 1
    found = sorted(_found(folder))
    if not found:
        sys.stdout.write(f"nothing to delete in {folder}\n")
        return 0
    if not (given.yes or _agreed(folder, found)):
        sys.stderr.write("nothing was deleted\n")
        return 1
    for path in found:
        _delete(path)
    sys.stdout.write(f"deleted in {folder}: {', '.join(path.name for path in found)}\n")
    return 0


def _found(folder: Path) -> Iterator[Path]:
    """What platforms make there, by name: a folder that holds other things too keeps them."""
    yield from (path for pattern in FOLDERS for path in folder.glob(pattern) if path.is_dir())
    for pattern in FILES:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def _agreed(folder: Path, found: list[Path]) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write(
            "there is nobody to ask: `make reset YES=1` or `dandelion reset --yes` deletes without asking\n"
        )
        return False
    sys.stdout.write(f"This deletes all data and keys of the platform in {folder.resolve()}:\n")
    sys.stdout.write("".join(f"  {path.name}\n" for path in found))
    return input('Type "yes" to delete them: ').strip() == "yes"


def _delete(path: Path) -> None:
    if path.name in KINDS:
        for server in ("kafka", "postgres"):
            _delete_outside(Kept(path / server, 0))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _delete_outside(kept: Kept) -> None:
    """A container's volume, and the folder of user postgres that a link leads to."""
    if kept.source() == "container":
        containers.remove(kept.name(), volume=True)
    if kept.folder.is_symlink():
        shutil.rmtree(kept.folder.resolve(), ignore_errors=True)
