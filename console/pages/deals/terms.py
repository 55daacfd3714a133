"""Terms of a deal in words: the name of each field, and its value as its unit, the end of its name, says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from babel.units import format_unit
from dandelion.campaigns.v1.events_pb2 import Terms, UnusualTerm

from console.look.formats import Formats
from console.words import mark

TERMS: Mapping[str, str] = {
    "invitation_expiry_s": mark("An offer stands for"),
    "funding_s": mark("Money in escrow within"),
    "product_s": mark("Product sent, then received, within"),
    "draft_s": mark("Draft within"),
    "compliance_s": mark("Compliance answers within"),
    "brand_review_s": mark("The brand answers within"),
    "review_reminder_s": mark("Approved without an answer after a reminder of"),
    "max_revisions": mark("Revisions at most"),
    "revision_s": mark("Revision within"),
    "ruling_s": mark("Staff rule on content within"),
    "publish_s": mark("Published within"),
    "publish_grace_s": mark("Published after the scheduled time within"),
    "live_check_after_s": mark("First look at the post after"),
    "verify_s": mark("The post is verified within"),
    "settlement_delay_s": mark("Paid after verification within"),
    "protection_s": mark("The post stays up for"),
    "cure_s": mark("A post that is gone is restored within"),
    "claw_back_bps": mark("Goes back to the brand otherwise"),
    "dispute_s": mark("Staff rule on a dispute within"),
    "exclusivity_days": mark("No competitors for"),
    "usage_rights_days": mark("The brand uses the content for"),
    "payment_retry_s": mark("A payment is asked for again after"),
}
"""Fields of Terms in the order in which a deal runs."""
LADDER: Mapping[str, str] = {
    "before_outline": mark("Before an outline or a draft"),
    "after_outline": mark("After an outline"),
    "after_draft": mark("After a draft"),
    "after_feedback": mark("After the second feedback, or from the day of publication on"),
}
ALSO: Mapping[str, str] = {
    "usage_days": TERMS["usage_rights_days"],
    "before_outline_bps": mark("Paid when the brand cancels before an outline"),
    "after_outline_bps": mark("Paid when the brand cancels after an outline"),
    "after_draft_bps": mark("Paid when the brand cancels after a draft"),
    "after_feedback_bps": mark("Paid when the brand cancels after the second feedback"),
}
DEFAULTS = {"dispute_s": 14 * 86_400, "cure_s": 48 * 3_600}
"""What a 0 stands for in the public form of these clocks."""
UNITS = ((86_400, "duration-day"), (3_600, "duration-hour"), (60, "duration-minute"), (1, "duration-second"))


@dataclass(frozen=True, slots=True)
class Told:
    """A term in words: the marked name, the value, and what is usual where the value is not ("" otherwise)."""

    name: str
    value: str
    usual: str = ""


def lasting(formats: Formats, seconds: int) -> str:
    """A duration in the largest unit that divides it."""
    size, unit = next(each for each in UNITS if seconds % each[0] == 0)
    return str(format_unit(seconds // size, unit, locale=formats.locale))


def value_of(formats: Formats, term: str, value: int) -> str:
    if term.endswith("_s"):
        return lasting(formats, value)
    if term.endswith("_bps"):
        return formats.share(value)
    return (
        str(format_unit(value, "duration-day", locale=formats.locale))
        if term.endswith("_days")
        else formats.number(value)
    )


def told(formats: Formats, terms: Terms, unusual: Iterable[UnusualTerm] = ()) -> Iterator[Told]:
    """All terms, each with what is usual where it is not as usual."""
    odd = {("usage_rights_days" if one.term == "usage_days" else one.term): one for one in unusual}
    for term, name in TERMS.items():
        value: int = getattr(terms, term) or DEFAULTS.get(term, 0)
        yield Told(name, value_of(formats, term, value), _usual(formats, odd.get(term)))


def unusual_told(formats: Formats, unusual: Iterable[UnusualTerm]) -> list[Told]:
    """Terms that are not as usual, as notices of a page."""
    names: Mapping[str, Any] = {**TERMS, **ALSO}
    return [
        Told(names.get(one.term, one.term), value_of(formats, one.term, one.value), _usual(formats, one))
        for one in unusual
    ]


def _usual(formats: Formats, one: UnusualTerm | None) -> str:
    if one is None:
        return ""
    least, most = (value_of(formats, one.term, each) for each in (one.usual_least, one.usual_most))
    return least if least == most else f"{least} – {most}"
