"""The figures that a kit may show, from the creator's state as it stands: each with its provenance and its date. Pure."""

from collections.abc import Iterator, Sequence

from services.discovery.domain.audience import Audience
from services.discovery.domain.checks import Provenance
from services.discovery.domain.media_kit.commands import Figure, Section, Unit
from services.discovery.domain.state import State

MICROS_PER_BPS = 100
DIMENSIONS = ("gender", "ages", "locations", "interests", "devices")
STAGES = ("active", "read", "engaged", "paying")
SHARES_SHOWN = 5
"""Of each dimension the largest so many."""


def figures_of(state: State, sections: Sequence[Section]) -> tuple[Figure, ...]:
    """Those of the chosen sections, by section and name."""
    found = [one for one in _all(state) if one.section in sections]
    return tuple(sorted(found, key=lambda one: (list(Section).index(one.section), one.name)))


def _all(state: State) -> Iterator[Figure]:
    for count in state.followers:
        name = f"followers.{count.platform.value}"
        yield Figure(Section.ACCOUNTS, name, count.count, Unit.COUNT, "", count.provenance, count.observed_at)
    for cell in state.performance:
        for figure in ("exposures", "reads", "engagements"):
            name = f"performance.{cell.format.value}.{cell.window_days}.{figure}"
            value = getattr(cell, figure)
            yield Figure(Section.PERFORMANCE, name, value, Unit.COUNT, "", cell.provenance, cell.observed_at)
    for audience in state.audiences:
        yield from _audience(audience)
    card = state.card
    for price in card.prices if card else ():
        if card and price.format not in card.closed:
            name = f"price.{price.format.value}"
            yield Figure(Section.RATES, name, price.price_minor, Unit.MONEY, card.currency, Provenance.MANUAL, None)


def _audience(audience: Audience) -> Iterator[Figure]:
    def share(name: str, bps: int) -> Figure:
        full = f"audience.{audience.kind.value}.{name}"
        micros = bps * MICROS_PER_BPS
        return Figure(Section.AUDIENCE, full, micros, Unit.MICROS, "", audience.provenance, audience.observed_at)

    for dimension in DIMENSIONS:
        largest = sorted(getattr(audience, dimension), key=lambda one: (-one.bps, one.name))[:SHARES_SHOWN]
        yield from (share(f"{dimension}.{one.name}", one.bps) for one in largest)
    for stage in STAGES:
        bps = getattr(audience, f"{stage}_bps")
        if bps is not None:
            yield share(stage, bps)
