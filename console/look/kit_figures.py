"""A media kit as its readers see it: chosen sections, each number in words with its unit, its source and its date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.look.formats import Formats
from console.words import mark

SECTIONS: Mapping[str, str] = {
    "about": mark("About the creator"),
    "accounts": mark("Social accounts"),
    "performance": mark("Performance"),
    "audience": mark("Audience"),
    "rates": mark("Prices"),
    "record": mark("Record"),
    "examples": mark("Examples of work"),
}
"""In the order of the page."""
PARTS: Mapping[str, str] = {
    "followers": mark("followers"),
    "viewers": mark("viewers"),
    "buyers": mark("buyers"),
    "price": mark("price"),
    "exposures": mark("median exposures"),
    "reads": mark("median reads"),
    "engagements": mark("median engagements"),
    "30": mark("30 days"),
    "90": mark("90 days"),
    "gender": mark("Gender"),
    "ages": mark("Age"),
    "locations": mark("Place"),
    "interests": mark("Interests"),
    "devices": mark("Devices"),
    "female": mark("female"),
    "male": mark("male"),
    "other": mark("other"),
    "active": mark("active followers"),
    "read": mark("reading followers"),
    "engaged": mark("engaging followers"),
    "paying": mark("buying followers"),
    "image_note": mark("Image note"),
    "video": mark("Video"),
    "live_hour": mark("Live (an hour)"),
    "story": mark("Story"),
    "xiaohongshu": mark("Xiaohongshu"),
    "douyin": mark("Douyin"),
    "weibo": mark("Weibo"),
    "bilibili": mark("Bilibili"),
    "tiktok": mark("TikTok"),
    "instagram": mark("Instagram"),
    "youtube": mark("YouTube"),
}
"""Words of a figure's name; a part without one stands as it is."""
SOURCES: Mapping[str, str] = {
    "platform": mark("read from the platform"),
    "manual": mark("reported by hand"),
    "estimated": mark("estimated"),
}
UNSAID = ("performance", "audience")
"""First parts of names that the section says."""
MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a kit as discovery tells it: `unit` is count, micros or money."""

    section: str
    name: str
    value: int
    unit: str
    currency: str
    provenance: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """A number in words."""

    told: str
    value: str
    source: str
    day: str


def sections(
    figures: Iterable[Figure], chosen: Sequence[str], formats: Formats, words: Any
) -> list[tuple[str, list[Line]]]:  # fmt: skip
    """Each chosen section that has numbers, by its name, with its numbers."""
    told = list(figures)
    made = [(name, [_line(one, formats, words) for one in told if one.section == name]) for name in SECTIONS]
    return [(words(SECTIONS[name]), lines) for name, lines in made if lines and name in chosen]


def _line(one: Figure, formats: Formats, words: Any) -> Line:
    parts = [part for part in one.name.split(".") if part not in UNSAID]
    told = " · ".join(words(PARTS[part]) if part in PARTS else part for part in parts)
    day = formats.day(one.observed_at) if one.observed_at else "–"
    return Line(told, _value(one, formats), words(SOURCES[one.provenance]) if one.provenance in SOURCES else "–", day)


def _value(one: Figure, formats: Formats) -> str:
    if one.unit == "money":
        return formats.money(one.value, one.currency)
    return formats.ratio(one.value / MICROS) if one.unit == "micros" else formats.number(one.value)
