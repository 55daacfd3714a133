"""`python -m tools.reference` writes docs/reference and the console's sentences; `--check` only names what is stale."""

import sys
from pathlib import Path

from tools.reference.entries import entries, left_over, missing
from tools.reference.pages import PAGES
from tools.reference.people import as_json, for_people
from tools.reference.scan import ROOT, codes

FOLDER = ROOT / "docs" / "reference"
SENTENCES = ROOT / "console" / "words" / "codes.json"
"""What the console says of a refusal, by its code."""


def wrong() -> list[str]:
    """What keeps the pages from being made: codes without an entry, and entries without a code."""
    found, known = codes(), entries()
    return [
        *[f"{one} has no entry: add it to tools/reference/codes" for one in missing(found, known)],
        *[
            f"{one} is in no code any more: take its entry out of tools/reference/codes"
            for one in left_over(found, known)
        ],
        *[
            f"{one} is in no code any more: take its sentences out of tools/reference/for_people.toml"
            for one in sorted(for_people().keys() - found.keys())
        ],
    ]


def stale() -> list[str]:
    """Files that are not what the code makes, and pages that nothing makes any more."""
    there = {path: path.read_text("utf-8") for path in (*FOLDER.glob("*.md"), SENTENCES)}
    made = made_files()
    return sorted(
        str(path.relative_to(ROOT)) for path in there.keys() | made.keys() if there.get(path) != made.get(path)
    )


def made_files() -> dict[Path, str]:
    """What the code makes: text by file."""
    return {**{FOLDER / name: make() for name, make in PAGES.items()}, SENTENCES: as_json()}


def main() -> int:
    problems = wrong()
    if "--check" in sys.argv[1:]:
        problems += [
            f"{name} is stale: run `make reference`, then `python -m console.words`"
            for name in (stale() if not problems else ())
        ]
    for problem in problems:
        print(problem)
    if problems:
        return 1
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(exist_ok=True)
        for path, text in made_files().items():
            path.write_text(text, "utf-8")
        print(f"docs/reference: {len(PAGES)} pages, and {SENTENCES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
