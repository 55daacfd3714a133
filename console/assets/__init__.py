"""Assets of the pages: one script, one style sheet, one sheet of icons, and a script for charts that only pages with charts load.

They are built from `src/` and from npm packages, pinned by `package-lock.json`, into `built/`, which git ignores. The names hold
a hash of the content, so a browser keeps each for ever.
"""

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
BUILT = FOLDER / "built"
MANIFEST = BUILT / "manifest.json"
SOURCES = ("package.json", "package-lock.json", "build.mjs", "src")


class NotBuilt(Exception):
    """The assets are missing; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "the console's scripts and styles are not built: run `make assets` (it needs npm's registry once)"
        )


@cache
def names() -> dict[str, str]:
    """File by the name that templates use: `console.css` is `console-4F2A.css`. Raises NotBuilt."""
    try:
        told: dict[str, str] = json.loads(MANIFEST.read_text())
    except FileNotFoundError as missing:
        raise NotBuilt from missing
    return told


def can_serve() -> bool:
    """Whether there are assets, of whatever age."""
    return MANIFEST.exists()


def are_fresh() -> bool:
    """Whether the built files are newer than all that they are made from."""
    if not MANIFEST.exists():
        return False
    built_at = MANIFEST.stat().st_mtime
    made_from = [file for name in SOURCES for file in (FOLDER / name).rglob("*") if file.is_file()]
    made_from += [FOLDER / name for name in SOURCES if (FOLDER / name).is_file()]
    return all(file.stat().st_mtime <= built_at for file in made_from)
