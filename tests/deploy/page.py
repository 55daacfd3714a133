"""The pages for operators as tests read them: what stands in their code blocks, by heading."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.conftest import ROOT

OPERATE = ROOT / "docs" / "operate.md"
PAGES = [OPERATE, *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
PARTS = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```|^#+ (?P<heading>[^\n]+)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of a page and the heading it stands under."""

    page: Path
    heading: str
    language: str
    text: str

    def commands(self) -> list[str]:
        """The lines that are typed, without their comments."""
        lines = [line.partition(" #")[0].strip() for line in self.text.splitlines()]
        return [line for line in lines if line]


def blocks(language: str, *pages: Path) -> Iterator[Block]:
    for page in pages or PAGES:
        heading = ""
        for found in PARTS.finditer(page.read_text()):
            heading = found["heading"] or heading
            if found["language"] == language:
                yield Block(page, heading, language, found["text"])


def block(first: str) -> Block:
    """The one block of commands of operate.md that begins so."""
    (found,) = [one for one in blocks("sh", OPERATE) if one.text.lstrip().startswith(first)]
    return found
