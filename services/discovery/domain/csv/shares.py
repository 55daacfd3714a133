"""Ratios and lists of shares in a creators file: decimals in 0..1 with at most four places, as basis points."""

import re
from dataclasses import replace
from functools import lru_cache

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS
from services.discovery.domain.audience import Share

LIST_LIMIT = 60
SHARES_KEPT = 4_096
"""Files repeat the same few shares."""
_RATIO = re.compile(r"(?:0(?:\.([0-9]{1,4}))?|1(?:\.0{1,4})?)")
PLACES, PERCENT_PLACES = 4, 2


def read_ratio(text: str) -> int:
    """Basis points of a decimal in 0..1, e.g. 6200 of `0.62`."""
    found = _RATIO.fullmatch(text)
    if not found:
        raise Invalid("ratio.malformed", value=text[:40], expected="a decimal from 0 to 1 with at most 4 places")
    return BASIS_POINTS if text.startswith("1") else int((found[1] or "0").ljust(4, "0"))


@lru_cache(SHARES_KEPT)
def read_share(text: str) -> Share:
    name, equals, ratio = text.rpartition("=")
    if not equals or not name.strip():
        raise Invalid("share.malformed", value=text[:40], expected="name=ratio")
    return Share(name.strip(), read_ratio(ratio.strip()))


@lru_cache(SHARES_KEPT)
def read_shares(text: str) -> tuple[Share, ...]:
    """Shares separated by `;`. Each was rounded to the places that are written (to a percent at the coarsest), so together
    they may be too many by half a unit each: the largest gives that up. More is left for the domain to refuse."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > LIST_LIMIT:
        raise Invalid("list.too_long", limit=LIST_LIMIT)
    shares = tuple(map(read_share, parts))
    over = sum(share.bps for share in shares) - BASIS_POINTS
    places = max((len(part.rpartition(".")[2]) for part in parts if "." in part), default=PERCENT_PLACES)
    unit_bps = 10 ** (PLACES - max(places, PERCENT_PLACES))
    if not 0 < 2 * over <= len(shares) * unit_bps:
        return shares
    largest = max(shares, key=lambda share: (share.bps, share.name))
    return tuple(replace(share, bps=share.bps - over) if share is largest else share for share in shares)
