"""The codes in words for people at a page of the console: each with what it means and what to do there.

A code has the sentences of docs/reference/errors.md, unless for_people.toml has others for whom no header, route or name of a
fact tells anything. Of several services that mean different things by a code, the one that refuses by it is heard.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tools.reference.entries import Entry, entries, entry_of
from tools.reference.scan import Found, codes

FILE = Path(__file__).parent / "for_people.toml"


def sentences() -> dict[str, tuple[str, str]]:
    """(what it means, what to do) by code."""
    own, found, known = for_people(), codes(), entries()
    told = {}
    for code in sorted(found):
        entry = _heard(code, found[code], known)
        if entry is not None:
            *meaning, how = own.get(code, [entry.how])
            told[code] = (meaning[0] if meaning else entry.meaning, how)
    return told


def for_people() -> dict[str, list[str]]:
    """The sentences that are other for people, by code: what to do, or what it means and what to do."""
    return {
        f"{noun}.{word}".rstrip("."): told
        for noun, words in tomllib.loads(FILE.read_text("utf-8")).items()
        for word, told in words.items()
    }


def as_json() -> str:
    """The file that the console reads, a code in a line."""
    lines = (f"{json.dumps(code)}: {json.dumps(told, ensure_ascii=False)}" for code, told in sentences().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _heard(code: str, found: Found, known: Mapping[tuple[str, str], Entry]) -> Entry | None:
    service = min(found.kinds, key=lambda name: (not found.kinds[name], name))
    return entry_of(code, service, known)
