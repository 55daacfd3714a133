"""A creator as a row of a creators file: what others may see of it, so that the file can be read back by an import."""

from collections.abc import Sequence
from datetime import datetime

from services.discovery.domain.audience import Audience, AudienceKind, Share
from services.discovery.domain.csv_columns import COLUMNS
from services.discovery.domain.rate_card import Format, FormatPrice
from services.discovery.domain.state import State

Cell = str | int
PRIVATE = ("contact", "birth_year", "guardian_consent", "account_id")
"""Columns of an import that say of a person what searches do not tell."""
NAMES = tuple(name for name in COLUMNS if name not in PRIVATE)
HEADER = (*NAMES, "creator_id")
BPS = 10_000


def row(state: State, display_name: str, bio: str, creator_id: str, at: datetime) -> list[Cell] | None:
    """Cells by HEADER, figures of the largest account; None of a creator without an account or a count of followers."""
    followers = max(state.followers, key=lambda one: one.count, default=None)
    account = state.account_on(followers.platform) if followers else None
    profile = state.profile
    if followers is None or account is None or profile is None:
        return None
    told: dict[str, Cell | None] = {
        "platform": account.platform.value,
        "handle": account.handle,
        "display_name": display_name,
        "bio": bio,
        "categories": ";".join(profile.categories),
        "tags": ";".join(profile.tags),
        "languages": ";".join(profile.languages),
        "country": profile.country,
        "province": profile.province,
        "city": profile.city,
        "gender": profile.gender.value,
        "agency_id": profile.agency_id,
        "virtual_operator": profile.virtual_operator,
        "examples": ";".join(profile.examples),
        "observed_on": followers.observed_at.date().isoformat(),
        "provenance": followers.provenance.value,
        "followers": followers.count,
        **_offer(state, at),
        **_figures(state),
        **_audience(state.audience_of(AudienceKind.FOLLOWERS)),
    }
    cells = [told.get(name) for name in NAMES]
    return ["" if cell is None else cell for cell in cells] + [creator_id]


def _offer(state: State, at: datetime) -> dict[str, Cell | None]:
    """Availability, and the prices in force."""
    told: dict[str, Cell | None] = {}
    if state.availability:
        told["availability"] = state.availability.availability.value
        told["max_parallel_jobs"] = state.availability.max_parallel_jobs
    if state.card:
        told["currency"] = state.card.currency
        told["closed_formats"] = ";".join(one.value for one in state.card.closed)
        told["commission"] = None if state.card.commission_bps is None else _ratio(state.card.commission_bps)
        told |= {f"{one.format.value}_minor": _price(one, at) for one in state.card.prices}
    return told


def _price(one: FormatPrice, at: datetime) -> int:
    """The price in force."""
    is_next = one.next_minor is not None and one.next_from is not None and one.next_from <= at
    return one.next_minor if is_next and one.next_minor is not None else one.price_minor


def _ratio(bps: int) -> str:
    """A decimal in 0..1."""
    return f"{bps // BPS}.{bps % BPS:04}"


def _figures(state: State) -> dict[str, Cell | None]:
    """Of 30 days, of the two formats that a file has."""
    told: dict[str, Cell | None] = {}
    for kind in (Format.IMAGE_NOTE, Format.VIDEO):
        cell = state.performance_of(kind, 30)
        if cell is not None:
            for name in ("exposures", "reads", "engagements"):
                told[f"{kind.value}_{name}"] = getattr(cell, name)
    return told


def _audience(report: Audience | None) -> dict[str, Cell | None]:
    if report is None:
        return {}
    dimensions = {
        f"audience_{name}": _shares(getattr(report, name)) for name in ("gender", "ages", "locations", "interests")
    }
    active = None if report.active_bps is None else _ratio(report.active_bps)
    return {"audience_sample": report.sample_size, "audience_active": active, **dimensions}


def _shares(shares: Sequence[Share]) -> str:
    return ";".join(f"{one.name}={_ratio(one.bps)}" for one in shares)
