"""Batches of observations: contents that are not there cost a bounded number of reads, however many a batch names."""

from typing import cast

import pytest

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import new_id
from kernel.runtime.wakeup import Wakeup
from services.metrics.domain.attribution import Placement
from services.metrics.reads import registry
from services.metrics.reads.registry import ASKED_AT_ONCE, Known, Registry

BRAND = Actor("bea", "brand-1", frozenset({"brand"}))


class Stored(Registry):
    """A registry over a set of contents of one brand, which notes what it is asked for."""

    def __init__(self, there: list[str]) -> None:
        super().__init__(cast(Database, None), Wakeup())
        self.there, self.asked = set(there), list[list[str]]()

    async def _read(self, content_ids: list[str]) -> None:
        self.asked.append(content_ids)
        for one in self.there.intersection(content_ids):
            self.contents[one] = Known(Placement("c", "d", one, "creator-1"), "brand-1", "weibo")


@pytest.mark.parametrize("others", [0, 100], ids=["none of them", "some of others"])
async def test_a_batch_of_unknown_contents_is_read_up_to_the_first(
    monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.setattr(registry, "WAIT_LIMIT_S", 0.0)
    unknown = [new_id() for _ in range(20 * ASKED_AT_ONCE)]
    stored = Stored(unknown[:others])
    with pytest.raises(NotFound):
        await stored.observed(unknown, Actor("eve", "evil", frozenset({"brand"})))
    assert sum(map(len, stored.asked)) == ASKED_AT_ONCE


async def test_a_large_batch_of_the_own_is_found_whole() -> None:
    own = [new_id() for _ in range(3 * ASKED_AT_ONCE + 1)]
    stored = Stored(own)
    assert (await stored.observed(own, BRAND)).keys() == set(own)
    assert (await stored.observed(own, BRAND)).keys() == set(own)
    assert sum(map(len, stored.asked)) == len(own), "and read once"
