"""`python -m tools.reference` writes docs/reference; `--check` writes nothing and names the pages that are stale."""

import sys

from tools.reference.entries import entries, left_over, missing
from tools.reference.pages import PAGES
from tools.reference.scan import ROOT, codes

FOLDER = ROOT / "docs" / "reference"


def wrong() -> list[str]:
    """What keeps the pages from being made: codes without an entry, and entries without a code."""
    found, known = codes(), entries()
    return [
        *[f"{one} has no entry: add it to tools/reference/codes" for one in missing(found, known)],
        *[
            f"{one} is in no code any more: take its entry out of tools/reference/codes"
            for one in left_over(found, known)
        ],
    ]


def stale() -> list[str]:
    """Pages that are not what the code makes, and files that no page is."""
    there = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    made = {name: make() for name, make in PAGES.items()}
    return sorted(name for name in there.keys() | made.keys() if there.get(name) != made.get(name))


def main() -> int:
    problems = wrong()
    if "--check" in sys.argv[1:]:
        problems += [
            f"docs/reference/{name} is stale: run `make reference`" for name in (stale() if not problems else ())
        ]
    for problem in problems:
        print(problem)
    if problems:
        return 1
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(exist_ok=True)
        for name, make in PAGES.items():
            (FOLDER / name).write_text(make())
        print(f"docs/reference: {len(PAGES)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
