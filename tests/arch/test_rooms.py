"""kernel/README.md holds the kernel as it is: each file in its room's table, each file of a table there, no folder too large."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.arch.tree import ROOT, names

ROW = re.compile(r"^\| \[([\w./]+)\]\(([\w./]+)\)", re.MULTILINE)
MAX_FILES = 12
README = (ROOT / "kernel" / "README.md").read_text()


def tabled(readme: str) -> dict[str, list[str]]:
    """Files of each room's table, by the heading above it."""
    rooms = re.split(r"^### ", readme.partition("\n## Glossary")[0], flags=re.MULTILINE)[1:]
    return {room.split("\n")[0]: [path for _, path in ROW.findall(room)] for room in rooms}


def there() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names():
        path = PurePosixPath(name)
        if name.startswith("kernel/") and len(path.parts) > 2 and path.suffix == ".py" and path.name != "__init__.py":
            found.setdefault(path.parts[1], []).append("/".join(path.parts[1:]))
    return found


def differences(tables: dict[str, list[str]], rooms: dict[str, list[str]]) -> Iterator[str]:
    for room in sorted({*tables, *rooms}):
        told, kept = tables.get(room, []), rooms.get(room, [])
        yield from (f"{path} stands in no table of kernel/README.md" for path in kept if path not in told)
        yield from (
            f"kernel/README.md has {path} under {room}, which is not there" for path in told if path not in kept
        )
        yield from (f"kernel/README.md has {path} twice" for path in {*told} if told.count(path) > 1)


def too_large(rooms: dict[str, list[str]]) -> list[str]:
    """Folders with too many files of their own; a room may have a folder inside."""
    counts = Counter(str(PurePosixPath(path).parent) for files in rooms.values() for path in files)
    return [f"{folder} has {count} files, {MAX_FILES} allowed" for folder, count in counts.items() if count > MAX_FILES]


def test_every_file_of_the_kernel_is_in_its_table_and_every_file_of_a_table_is_there() -> None:
    assert len(there()) == 9
    assert list(differences(tabled(README), there())) == []


def test_no_folder_is_too_large() -> None:
    assert too_large(there()) == []


def test_what_is_wrong_with_a_table_is_seen() -> None:
    readme = "### a\n| [x.py](a/x.py) `X` | one |\n| [y.py](a/y.py) | two |\n| [y.py](a/y.py) | two |\n\n## Glossary\n"
    assert list(differences(tabled(readme), {"a": ["a/y.py", "a/z.py"], "b": ["b/n.py"]})) == [
        "a/z.py stands in no table of kernel/README.md",
        "kernel/README.md has a/x.py under a, which is not there",
        "kernel/README.md has a/y.py twice",
        "b/n.py stands in no table of kernel/README.md",
    ]
    assert too_large({"a": ["a/x"] * 12 + ["a/b/x"] * 3, "c": ["c/x"] * 13}) == ["c has 13 files, 12 allowed"]
