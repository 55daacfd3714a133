"""What a review of the largest content costs: text, tags and proofs at their limits, in every place whose law is known.

The ratio is to a bare loop over the same characters, measured beside each review: it means the same on every machine.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from bench.measure import Row, say
from bench.place import Place
from services.compliance.domain.findings import Content, Evidence
from services.compliance.domain.packs import in_force
from services.compliance.packs import shipped_packs

AT = datetime(2026, 11, 1, tzinfo=UTC)
LENGTH, TAGS, PROOFS, ROUNDS = 20_000, 50, 20, 5
SENTENCES = (
    "今天下班路上买了杯豆浆，味道很香，明天还想喝。这支粉底我用了两周，持妆不错。",
    "Loving this serum, my skin feels great. I had a cold last week and drank tea with honey. ",
    "最佳",
    "cures colds ",
)
"""Ordinary texts, and texts that are nothing but hits."""
TARGET_MS = 50.0
"""Of the largest content on a good machine (a bare loop of 5 ms)."""
LOOKUPS = 10
"""Look-ups in a dict for each character of the bare loop."""
FLOOR, GOAL = 15.0, 10.0


async def bench(place: Place) -> list[Row]:
    """One row: the CPU milliseconds of the costliest of them, by the median of its rounds."""
    costs = {
        (place_of, text[:12]): cost_ms(place_of, text)
        for place_of in ("CN", "US", "UK", "EU", "FR")
        for text in SENTENCES
    }
    for (place_of, text), (spent_ms, bare_ms) in costs.items():
        say(f"  review {place_of} {text!r}: {spent_ms:.1f} ms, {spent_ms / bare_ms:.1f} bare loops")
    worst = max(costs, key=lambda one: costs[one][0] / costs[one][1])
    spent_ms, bare_ms = costs[worst]
    note = f"{worst[0]}, {worst[1]!r}; {TARGET_MS:.0f} ms where the loop takes {TARGET_MS / GOAL:.0f}"
    ours, theirs = f"{spent_ms:.1f} ms", f"{bare_ms:.1f} ms"
    return [Row("review of the largest content", ours, theirs, spent_ms / bare_ms, FLOOR, GOAL, lower=True, note=note)]


def cost_ms(jurisdiction: str, sentence: str) -> tuple[float, float]:
    """CPU milliseconds of a review and of the bare loop, by the medians of their rounds."""
    pack = in_force(shipped_packs(), jurisdiction, AT)
    assert pack is not None
    spent, bare = [], []
    for round_ in range(ROUNDS):
        text = (f"{round_}" + sentence * LENGTH)[:LENGTH]  # another text each time: nothing of it is remembered
        content = Content(text, tags=_tags(round_), jurisdiction=jurisdiction, evidence=_proofs())
        bare.append(_timed(partial(_bare, text)))
        spent.append(_timed(partial(pack.findings, content, AT)))
    return statistics.median(spent), statistics.median(bare)


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1_000


def _bare(text: str) -> int:
    known = dict.fromkeys(text, 1)
    return sum(known[character] for _ in range(LOOKUPS) for character in text)


def _tags(round_: int) -> tuple[str, ...]:
    return tuple(f"标签{round_}{n}" + "好" * 90 for n in range(TAGS))


def _proofs() -> tuple[Evidence, ...]:
    return tuple(Evidence("registered_name", f"最佳{n}", "1") for n in range(PROOFS))
