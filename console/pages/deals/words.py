"""Words of a brief that travel as texts: goals, laws, freedom, what is advertised; and the zone of its days."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from dandelion.campaigns.v1.events_pb2 import Brief
from dandelion.campaigns.v1.queries_pb2 import Campaign
from dandelion_contracts.words import word

from console.pages.deals.terms import LADDER
from console.words import mark
from console.words.enums import label
from console.words.goods import GOODS, OFFERED
from console.words.goods import LAWS as ALL_LAWS

GOALS: Mapping[str, str] = {
    "exposure": mark("Exposure"),
    "reads": mark("Reads"),
    "engagement": mark("Engagement"),
    "sales": mark("Sales"),
}
LAWS: Mapping[str, str] = {name: told for name, told in ALL_LAWS.items() if name != "DE"}
FREEDOMS: Mapping[str, str] = {
    "low": mark("Little: form and words are given"),
    "medium": mark("Some: the frame is given"),
    "high": mark("Much: the creator decides form and words"),
}
CATEGORIES: Mapping[str, str] = {name: GOODS[name] for name in OFFERED}
"""Categories that the rules of compliance know; content of another one is judged by a person."""
MODES: Mapping[str, str] = {
    "invite": mark("Only whom the brand invites"),
    "open": mark("Anybody may apply"),
    "co_creation": mark("Anybody may apply; the brief is still being shaped"),
}
STAGES: Mapping[int, str] = {1: mark("An outline"), 2: mark("A draft"), 3: mark("A final text")}
"""Stages of a submission by their number."""
DEFAULT_ZONE = "Asia/Shanghai"
"""Zone of a brief that names none."""
WORDS: Mapping[str, Any] = MappingProxyType(
    {
        "goals": GOALS,
        "laws": LAWS,
        "freedoms": FREEDOMS,
        "categories": CATEGORIES,
        "rungs": LADDER,
        "modes": dict(enumerate(MODES.values(), 1)),
        "stages": STAGES,
    }
)
"""What templates/deals/pieces.html needs: given to every template that shows a brief."""


def zone_of(brief: Brief) -> str:
    """Zone whose days the posting window is made of."""
    return brief.timezone or DEFAULT_ZONE


def priced(found: Campaign) -> int:
    """How many deliverables an offer prices."""
    return sum(one.occurrences for one in found.detail.deliverables)


def options(enum: Any) -> list[tuple[str, str]]:
    """Names of an enum's values with their marked labels, for a choice."""
    return [(name, label(enum.DESCRIPTOR, number)) for name, number in enum.items() if number]


def choices(enum: Any) -> list[tuple[str, str]]:
    """Words of an enum's values, as a command's body has them, with their marked labels."""
    return [(word(enum, number), label(enum.DESCRIPTOR, number)) for _, number in enum.items() if number]


def known(enum: Any, names: Iterable[str]) -> list[int]:
    """Values of the names in an address that there are."""
    return [enum.Value(one) for one in names if one in set(enum.keys())]
