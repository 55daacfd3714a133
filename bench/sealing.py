"""What sealing costs an event: `python -m bench.sealing` prints bytes and CPU time of two personal events of campaigns.

Splitting with the subject, sealing and opening are what the log does with each such event; the query for its key is not in it.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

from kernel.adapters.vault.event_vault import open_event, seal_event
from kernel.adapters.vault.personal import KEY_BYTES, SubjectKey
from kernel.core.canonical import canonical
from kernel.core.personal import SEALED, PersonalForm
from tests.unit.campaigns.samples import COLLABORATION

ROUNDS, REPEATS = 4_000, 5
EVENTS = {"ContentSubmitted", "ProductSent"}
STREAM = "collaboration-018f3a10-0000-7000-8000-0000000000c1"
HEAD = "| event | bytes | sealed | whose | seal | open |\n| --- | --- | --- | --- | --- | --- |\n"


def cost_us(work: Callable[[], object]) -> float:
    """CPU microseconds of one call, in the best repeat: whatever disturbs a repeat only adds to it."""
    return min(_repeat_s(work) for _ in range(REPEATS)) / ROUNDS * 1_000_000


def _repeat_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        work()
    return time.process_time() - began


def row(event: Any) -> str:
    """One line of the table; what was sealed is opened once, to know that it was."""
    form, data, key = (
        PersonalForm(type(event)),
        canonical(event),
        SubjectKey(event.parties.creator_id, os.urandom(KEY_BYTES)),
    )
    stored = seal_event(form, STREAM, 1, data, key)
    text = orjson.loads(stored)[SEALED]
    if open_event(text, f"{STREAM}@1", key) != form.split(data)[1]:
        raise ValueError(f"{type(event).__name__} does not open as it was sealed")
    costs = (
        cost_us(lambda: form.subject(form.split(data)[0], STREAM)),
        cost_us(lambda: seal_event(form, STREAM, 1, data, key)),
        cost_us(lambda: open_event(text, f"{STREAM}@1", key)),
    )
    figures = " | ".join(f"{cost:.0f} us" for cost in costs)
    return f"| {type(event).__name__} | {len(data):,} | {len(stored):,} | {figures} |\n"


if __name__ == "__main__":
    sys.stdout.write(HEAD)
    for sample in COLLABORATION:
        if type(sample).__name__ in EVENTS:
            sys.stdout.write(row(sample))
