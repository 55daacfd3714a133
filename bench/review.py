"""What a review of the largest content costs: text, tags and proofs at their limits, in every place whose law is known."""

import statistics
import time
from datetime import UTC, datetime

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


async def bench(place: Place) -> list[Row]:
    """One row: the CPU milliseconds of the costliest of them, by the median of its rounds."""
    costs = {
        (place_of, text[:12]): cost_ms(place_of, text)
        for place_of in ("CN", "US", "UK", "EU", "FR")
        for text in SENTENCES
    }
    for (place_of, text), spent_ms in costs.items():
        say(f"  review {place_of} {text!r}: {spent_ms:.1f} ms")
    worst = max(costs, key=lambda one: costs[one])
    ours, note = f"{costs[worst]:.1f} ms", f"{worst[0]}, {worst[1]!r}"
    row = Row(
        "review of the largest content", ours, "-", costs[worst], 3 * TARGET_MS, TARGET_MS, "ms", lower=True, note=note
    )
    return [row]


def cost_ms(jurisdiction: str, sentence: str) -> float:
    pack = in_force(shipped_packs(), jurisdiction, AT)
    if pack is None:
        return 0.0
    spent = []
    for round_ in range(ROUNDS):
        text = (f"{round_}" + sentence * LENGTH)[:LENGTH]  # another text each time: nothing of it is remembered
        content = Content(text, tags=_tags(round_), jurisdiction=jurisdiction, evidence=_proofs())
        began = time.process_time()
        pack.findings(content, AT)
        spent.append((time.process_time() - began) * 1_000)
    return statistics.median(spent)


def _tags(round_: int) -> tuple[str, ...]:
    return tuple(f"标签{round_}{n}" + "好" * 90 for n in range(TAGS))


def _proofs() -> tuple[Evidence, ...]:
    return tuple(Evidence("registered_name", f"最佳{n}", "1") for n in range(PROOFS))
