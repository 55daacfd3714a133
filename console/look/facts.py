"""Facts of a refusal as its reader writes them: they go into the sentence that explains it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from babel.units import format_unit

from console.look.formats import Formats

FACT_CHARS = 200
WHOLE = re.compile(r"-?\d{1,18}")
UNITS = {"duration-day": 86_400, "duration-hour": 3_600, "duration-minute": 60, "duration-second": 1}
JOINED = re.compile(r",\s*| or ")


def written(facts: Mapping[str, str], formats: Formats, words: Callable[[str], str]) -> Mapping[str, str]:
    """The facts by name; one without a value, or an amount without its currency, is left out."""
    told = {name: _one(name, fact[:FACT_CHARS], facts, formats, words) for name, fact in facts.items() if fact}
    return {name: fact for name, fact in told.items() if fact}


def _one(name: str, fact: str, facts: Mapping[str, str], formats: Formats, words: Callable[[str], str]) -> str:
    if name == "needs":
        return ", ".join(words(role.capitalize()) for role in JOINED.split(fact))
    if name == "status":
        return words(fact.replace("_", " ").capitalize())
    if name in ("until", "usable_at"):
        return _moment(fact, formats)
    return _number(name, int(fact), facts, formats) if WHOLE.fullmatch(fact) else fact


def _number(name: str, number: int, facts: Mapping[str, str], formats: Formats) -> str:
    match name.rpartition("_")[2]:
        case "minor":
            return formats.money(number, facts["currency"]) if facts.get("currency") else ""
        case "bps":
            return formats.share(number)
        case "s":
            return _span(number, formats)
        case _:
            return formats.number(number)


def _span(seconds: int, formats: Formats) -> str:
    """A span in the largest unit that tells it exactly."""
    unit, length = next((unit, length) for unit, length in UNITS.items() if seconds % length == 0)
    return format_unit(seconds // length, unit, locale=formats.locale)


def _moment(fact: str, formats: Formats) -> str:
    try:
        return formats.exact(datetime.fromisoformat(fact))
    except ValueError:
        return fact
