"""Two people edit one brief: who comes second sees what the first one changed, and keeps what it typed itself. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dandelion.common.v1.common_pb2 import CampaignType, CompensationKind, Format, Platform

from console.forms import Form
from console.pages.deals.drafts import PRODUCT, SPEC
from console.pages.deals.words import CATEGORIES, FREEDOMS, GOALS, LAWS, MODES, choices
from console.words import mark

LABELS: Mapping[str, str] = {
    "title": mark("Title"),
    "campaign_type": mark("Type"),
    "mode": mark("Who may apply"),
    "objective": mark("Goal"),
    "product_category": mark("What is advertised"),
    "posting_from": mark("Published from"),
    "posting_until": mark("Published until"),
    "timezone": mark("Days of the zone"),
    "creative_freedom": mark("Creative freedom"),
    "key_messages": mark("To be told"),
    "must": mark("Required"),
    "must_not": mark("Not allowed"),
    "budget_minor": mark("Budget"),
    "currency": mark("Currency"),
    "compensation.kind": mark("Creators are paid by"),
    "jurisdiction": mark("Advertising law of"),
    "exclusivity_days": mark("No competitors for"),
    "usage_days": mark("The brand uses the content for"),
    "platform": mark("Platform"),
    "format": mark("Format"),
    "occurrences": mark("How often"),
    "every_s": mark("Days between"),
    "outline_required": mark("An outline is agreed first"),
    "name": mark("Name"),
    "brand_name": mark("Brand's name"),
    "value_minor": mark("Worth"),
    "approval_number": mark("Approval number"),
    "shipped": mark("It is sent to the creator before the work begins"),
}
"""The editor's fields as it names them, by the last part of their names."""
ROWS: Mapping[str, str] = {SPEC: mark("Deliverable {number}"), PRODUCT: mark("Product {number}")}
WORDS: Mapping[str, Mapping[str, str]] = {
    "campaign_type": dict(choices(CampaignType)),
    "mode": MODES,
    "objective": GOALS,
    "product_category": CATEGORIES,
    "creative_freedom": FREEDOMS,
    "jurisdiction": LAWS,
    "compensation.kind": dict(choices(CompensationKind)),
    "platform": dict(choices(Platform)),
    "format": dict(choices(Format)),
    "outline_required": {"true": mark("yes"), "": mark("no")},
    "shipped": {"true": mark("yes"), "": mark("no")},
}
"""Marked words of values that are words of the contract."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that somebody else changed `before` -> `now`; `mine` is what stands in the form, `is_taken` where it is `now`."""

    row: str
    number: int
    label: str
    before: str
    now: str
    mine: str

    @property
    def is_taken(self) -> bool:
        return self.mine == self.now


def merged(
    form: Form, before: Mapping[str, Any], now: Mapping[str, Any], told: Callable[[str], str]
) -> tuple[Form, list[Change]]:
    """The form with what the other one changed wherever this one has changed nothing, and all that was changed.

    `before` and `now` are the brief that this person began with and the one in force, as a form has them; `told` says a marked
    word in the reader's language.
    """
    values, changes = dict(form.values), list[Change]()
    for name, (old, new) in _changed(before, now):
        mine = _plain(form.first(name))
        if mine in (old, new):
            values[name], mine = [str(now.get(name, ""))] if new else [], new
        row, number, label = _named(name)
        words = {value: told(said) for value, said in WORDS.get(label, {}).items()}
        changes.append(Change(row, number, LABELS.get(label, ""), *(words.get(one, one) for one in (old, new, mine))))
    return Form(values, form.files), [one for one in changes if one.label]


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in (*now, *(one for one in before if one not in now)):
        pair = _plain(before.get(name, "")), _plain(now.get(name, ""))
        if pair[0] != pair[1]:
            yield name, pair


def _plain(value: Any) -> str:
    """As a form sends it: a box that is not ticked is nothing, lines end alike."""
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value).replace("\r\n", "\n").strip()


def _named(name: str) -> tuple[str, int, str]:
    """(marked row, its number from 1, last part) of a field's name."""
    for prefix, row in ROWS.items():
        if name.startswith(f"{prefix}."):
            number, _, last = name.removeprefix(f"{prefix}.").partition(".")
            return row, int(number) + 1, last
    return "", 0, name.removeprefix("brief.")
