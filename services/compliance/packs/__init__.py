"""Reads the rule packs that the product ships; the domain gets them as data."""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import yaml

from services.compliance.domain.findings import Severity
from services.compliance.domain.packs import Pack, parse
from services.compliance.domain.rules.case import Lists
from services.compliance.domain.text import Folding

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where the wheel has it: the loader in Python takes a third of a second for the packs, at each start."""
HERE = Path(__file__).parent
SOUND_LETTERS = 0xE000
"""Syllables are written as letters of Unicode's private use area, from here on."""


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """All packs of packs/*.yaml, parsed; raises Invalid `pack.malformed` when one is not well formed."""
    documents = [yaml.load(path.read_text(encoding="utf-8"), LOADER) for path in sorted(HERE.glob("*.yaml"))]
    return parse(documents, shipped_lists())


@cache
def shipped_lists() -> Lists:
    """Term lists, harmless phrases and the folding of packs/*.tsv."""
    terms: dict[str, dict[str, Severity]] = defaultdict(dict)
    for row in _rows("cn_terms.tsv"):
        terms[row["list"]][row["term"]] = Severity(row["severity"])
    harmless: dict[str, list[str]] = defaultdict(list)
    for row in _rows("cn_harmless.tsv"):
        harmless[row["list"]].append(row["phrase"])
    return Lists(terms, {name: tuple(phrases) for name, phrases in harmless.items()}, _folding())


def _folding() -> Folding:
    rows = [*_rows("traditional.tsv"), *_rows("lookalikes.tsv")]
    simplified = {ord(other): row["plain"] for row in rows for other in row["written"]}
    syllables = {
        ord(c): chr(SOUND_LETTERS + n) for n, row in enumerate(_rows("syllables.tsv")) for c in row["characters"]
    }
    return Folding(simplified, syllables)


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
