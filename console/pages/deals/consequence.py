"""What follows from a brief as it is typed: what creators get of the budget, how much work it is, which rules it meets. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from console.forms import Form
from console.pages.deals.drafts import ROWS, SPEC

BASIS_POINTS = 10_000
CODE = re.compile("[A-Z]{3}$")
"""A currency as ISO 4217 writes it."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """Amounts in minor units of `currency` ("": none was typed that can be); None where what stands in the form gives none yet.

    `fees_minor` is the most that creators can get of the budget, `platform_minor` what the platform takes on top of it.
    `pieces` is what each creator makes, `days` how many days it may be published on.
    """

    currency: str
    fees_minor: int | None
    platform_minor: int | None
    pieces: int
    days: int | None
    law: str
    category: str


def consequence(form: Form, values: Mapping[str, Any], fee_bps: int) -> Consequence:
    """Of what was typed, else of the brief's `values`."""
    read = Form({name: [str(value)] for name, value in values.items()} | dict(form.values))
    currency = read.text("brief.currency").upper() or "CNY"
    known = CODE.match(currency) is not None
    budget = read.minor("brief.budget_minor", currency) if known and read.text("brief.budget_minor") else 0
    fees = fees_within(budget, fee_bps) if budget > 0 and not read.wrong else None
    return Consequence(
        currency if known else "",
        fees,
        None if fees is None else fees * fee_bps // BASIS_POINTS,
        sum(_occurrences(read, row) for row in range(ROWS)),
        _days(read.text("brief.posting_from"), read.text("brief.posting_until")),
        read.text("brief.jurisdiction") or "CN",
        read.text("brief.product_category") or "cosmetics",
    )


def fees_within(budget_minor: int, fee_bps: int) -> int:
    """The largest sum of fees that leaves room for the platform's share on top, which is rounded down."""
    fees = budget_minor * BASIS_POINTS // (BASIS_POINTS + fee_bps)
    return fees + (fees + 1 + (fees + 1) * fee_bps // BASIS_POINTS <= budget_minor)


def _occurrences(form: Form, row: int) -> int:
    """How often a deliverable is made; none for a row that is not filled in."""
    at = f"{SPEC}.{row}"
    if row > 0 and not form.text(f"{at}.platform"):
        return 0
    told = form.text(f"{at}.occurrences")
    return int(told) if told.isdecimal() and len(told) < 3 else 1


def _days(first: str, last: str) -> int | None:
    try:
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    except ValueError:
        return None
    return days if days > 0 else None
