"""Entries of the codes: who can mend it, what it means, how. Read from codes/*.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.reference.scan import Found

HERE = Path(__file__).parent / "codes"
EVERY = "every_service"
WHO = {
    "caller": "who sent it",
    "brand": "the brand",
    "creator": "the creator",
    "other side": "the other party of the deal",
    "staff": "the platform's operator or reviewer",
    "finance": "the platform's finance",
    "reviewer": "the platform's reviewer",
    "operator": "who runs the platform",
    "wait": "time: try again",
    "nobody": "nobody: it is final",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What people have to know of a code."""

    who: str
    meaning: str
    how: str


def entries() -> dict[tuple[str, str], Entry]:
    """Every entry by file (a service, or `every_service`) and code; ValueError for a word of `who` that does not exist."""
    found = {}
    for path in sorted(HERE.glob("*.toml")):
        for noun, words in tomllib.loads(path.read_text()).items():
            for word, (who, meaning, how) in words.items():
                if who not in WHO:
                    raise ValueError(f"{path.name}: {noun}.{word} is for {who!r}, who is none of {', '.join(WHO)}")
                found[path.stem, f"{noun}.{word}".rstrip(".")] = Entry(who, meaning, how)
    return found


def entry_of(code: str, service: str, known: Mapping[tuple[str, str], Entry]) -> Entry | None:
    """The service's own entry, else the one of every service."""
    return known.get((service, code)) or known.get((EVERY, code))


def missing(found: Mapping[str, Found], known: Mapping[tuple[str, str], Entry]) -> list[str]:
    """Codes of the code without an entry, as `service: code`."""
    return sorted(
        f"{service}: {code}"
        for code, one in found.items()
        for service in one.kinds
        if entry_of(code, service, known) is None
    )


def left_over(found: Mapping[str, Found], known: Mapping[tuple[str, str], Entry]) -> list[str]:
    """Entries of codes that no code has any more."""
    used = {
        (service, code) if (service, code) in known else (EVERY, code)
        for code, one in found.items()
        for service in one.kinds
    }
    return sorted(f"{file}: {code}" for file, code in known.keys() - used)
