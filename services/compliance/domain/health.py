"""What a text says of health: diseases and how goods are said to heal them, the body, the registers of permitted claims."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.compliance.domain.text import Folding, Matcher


@dataclass(frozen=True, slots=True)
class Permitted:
    """One substance of a register: its names, what may be said of it (folded phrases), on which condition."""

    registers: frozenset[str]
    names: tuple[str, ...]
    phrases: tuple[str, ...]
    condition: str


@dataclass(frozen=True)
class Health:
    """`diseases` finds names of diseases; the patterns are those of packs/health/words.yaml over folded text."""

    diseases: Matcher
    heals: re.Pattern[str]
    helps: re.Pattern[str]
    healed: re.Pattern[str]
    denied: re.Pattern[str]
    another_word: re.Pattern[str]
    about_something_else: re.Pattern[str]
    promises: re.Pattern[str]
    taken: re.Pattern[str]
    pronoun: re.Pattern[str]
    somebody: re.Pattern[str]
    about_a_day: re.Pattern[str]
    permitted: tuple[Permitted, ...]

    def is_small_talk(self, subject: str) -> bool:
        """The subject of a verb of healing is a person, an animal or something one does, and no goods."""
        return bool(self.somebody.search(subject)) and not self.taken.search(subject)

    def is_claim(self, subject: str, object_end: str, about_goods: bool) -> bool:
        """A verb that goods and friends share is said of goods: named, or meant by a pronoun where the category is such."""
        if self.about_a_day.match(object_end) and not self.taken.search(subject):
            return False
        return bool(self.taken.search(subject)) or (about_goods and self.pronoun.search(subject) is not None)

    def permits(self, register: str, clause: str) -> str | None:
        """The condition on which a register lets a clause stand; None where it names no such claim."""
        spoken = f" {clause} "
        for one in self.permitted:
            if register in one.registers and _names(one.names, spoken) and _names(one.phrases, spoken):
                return one.condition
        return None


def _names(phrases: Sequence[str], spoken: str) -> bool:
    return any(f" {phrase} " in spoken for phrase in phrases)


LANGUAGES = ("en", "fr", "de")


def register_of(
    rows: Sequence[Mapping[str, str]], functions: Sequence[Mapping[str, str]], folding: Folding
) -> tuple[Permitted, ...]:
    """Rows {registers, en, fr, de, functions, condition} and the phrases of each function, folded; names in all languages."""

    def folded(row: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(folding.fold(each).text for language in LANGUAGES for each in row[language].split("|"))

    phrases = {row["function"]: folded(row) for row in functions}
    return tuple(
        Permitted(
            frozenset(row["registers"].split()),
            folded(row),
            tuple(phrase for function in row["functions"].split() for phrase in phrases[function]),
            row["condition"],
        )
        for row in rows
    )
