"""Words of what creators are weighed by: parts of scores, reasons of a plan, its bounds."""

from collections.abc import Callable, Mapping
from typing import Any

from dandelion.common.v1.common_pb2 import Platform, Tier
from dandelion.discovery.v1.matching_pb2 import ScorePart

from console.words import mark
from console.words.enums import label

PARTS: Mapping[str, str] = {
    "style": mark("Style"),
    "category": mark("Category"),
    "audience": mark("Audience"),
    "size": mark("Size"),
    "price": mark("Price"),
    "engagement": mark("Engagement"),
    "platform": mark("Platform"),
    "forecast": mark("Forecast"),
    "safety": mark("Brand safety"),
    "reliability": mark("Reliability"),
    "availability": mark("Availability"),
}
REASONS: Mapping[int, str] = {
    1: mark("must be in"),
    2: mark("keeps a bound"),
    3: mark("worth its price"),
    4: mark("kept out by a bound"),
    5: mark("its price brings more elsewhere"),
}
"""By MixReason."""
SOURCES: Mapping[int, str] = {1: mark("measured"), 2: mark("told"), 3: mark("as its peers")}
"""By MixSource."""
LEFT_OUT: Mapping[str, str] = {
    "never": mark("must not be in"),
    "closed": mark("take no jobs"),
    "no_price": mark("no price for this format and currency"),
    "authenticity": mark("authenticity too low"),
    "competitor": mark("worked for a competitor"),
    "no_forecast": mark("nothing to forecast by"),
}
SIDES: Mapping[str, str] = {
    "creators": mark("creators"),
    "spend_min": mark("least part of the spending"),
    "spend_max": mark("largest part of the spending"),
}
ENUMS: Mapping[str, Any] = {"tier": Tier, "platform": Platform}
Words = Callable[..., str]


def part(words: Words, one: ScorePart) -> str:
    return words(PARTS[one.name]) if one.name in PARTS else one.name


def bound(words: Words, name: str) -> str:
    """`tier:koc:creators` as people read it; a bound that this console does not know stays as it is."""
    kind, _, rest = name.partition(":")
    if kind == "budget":
        return words(mark("Budget"))
    if kind == "creators":
        return words(mark("Number of creators"))
    if kind == "must":
        return words(mark("A creator who must be in"))
    value, _, side = rest.rpartition(":")
    if side not in SIDES:
        return name
    return f"{_value(words, kind, value)}: {words(SIDES[side])}"


def _value(words: Words, kind: str, value: str) -> str:
    enum = ENUMS.get(kind)
    known = enum.DESCRIPTOR.values_by_name.get(f"{kind}_{value}".upper()) if enum else None
    return words(label(known.type, known.number)) if known else value
