"""Mutants of what keeps poison, replays and restarts harmless: each mechanism switched off turns a named check red."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from kernel.adapters import leases
from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.adapters.postgres import opening
from kernel.eventlog import log as logs
from kernel.processors import processes, projector
from kernel.runtime import wakeup
from kernel.streams import halted, parked, relay, republish, tail
from tests.contract import test_flow, test_projector, test_republish, test_signs_of_life, test_tail
from tests.contract.conftest import Running
from tests.contract.test_mutations import RED_S, Switch, ended
from tests.kit import counter
from tests.kit.until import until, within


def parking_order_off(patch: pytest.MonkeyPatch) -> None:
    """That a key is parked is forgotten with the batch."""

    async def nobody(*_: object) -> set[str]:
        return set()

    patch.setattr(parked.Parking, "keys", nobody)


def passing_is_poison(patch: pytest.MonkeyPatch) -> None:
    """A lock that was waited for too long counts as the event's fault."""
    patch.setattr(projector, "is_lost", lambda _: False)


def waiting_is_poison(patch: pytest.MonkeyPatch) -> None:
    """A writer that turns commands away counts as the cause's fault."""
    patch.setattr(processes, "WAITING", frozenset())


def budget_off(patch: pytest.MonkeyPatch) -> None:
    """Keys are parked without limit."""

    async def none(self: parked.Parking, connection: Any) -> dict[str, set[str]]:
        return {}

    patch.setattr(parked.Parking, "_keys_of_tenants", none)


def stop_not_told(patch: pytest.MonkeyPatch) -> None:
    """A reader that waits for a person looks like one that waits for its broker."""
    patch.setattr(halted, "BY_HAND", frozenset())


def republish_without_chain(patch: pytest.MonkeyPatch) -> None:
    """Each round of republishing begins a chain of its own."""
    build_round = relay.Relay.build_round

    def unchained(self: relay.Relay, events: Any, before: relay.Checkpoint) -> relay.Round:
        return build_round(self, events, relay.Checkpoint(before.position))

    patch.setattr(relay.Relay, "build_round", unchained)
    patch.setattr(republish, "ROUND_EVENTS", 2)


def relay_not_set_back(patch: pytest.MonkeyPatch) -> None:
    """What the relay sent before republishing ended does not come again behind it."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr(relay.Relay, "rewind", nothing)


def merge_by_arrival(patch: pytest.MonkeyPatch) -> None:
    """Of two values the one that came last stays: it depends on the order of partitions."""
    patch.setattr(test_flow, "newer", lambda _, comes: comes)


def lease_release_off(patch: pytest.MonkeyPatch) -> None:
    """A replica that ends keeps its leases until they run out."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr(leases.Leases, "release", nothing)


def opening_guards_not_compared(patch: pytest.MonkeyPatch) -> None:
    """The statement that opens a projector's transaction moves guards wherever they stand."""
    compared = "AND g.next_offset = u.from_offset AND g.last_position = u.from_position"
    assert compared in opening._MOVE
    patch.setattr(opening, "_MOVE", opening._MOVE.replace(compared, ""))


def opening_blind(patch: pytest.MonkeyPatch) -> None:
    """It does not ask what is parked and which generation is live."""
    patch.setattr(opening, "entering", opening.moving)


def projectors_not_in_turn(patch: pytest.MonkeyPatch) -> None:
    """Replicas of one projection write at the same time."""
    patch.setattr(opening, "locking", lambda _: "SET LOCAL synchronous_commit = off")


def tail_invents(patch: pytest.MonkeyPatch) -> None:
    """The tail hands on an event that was not appended."""
    keep = tail.LogTail._keep

    def more(self: tail.LogTail, after: int, found: list[tail.TailEvent]) -> None:
        recorded, inbound = found[-1]
        last = recorded._replace(position=recorded.position + 1)
        keep(self, after, [*found, (last, replace(inbound, position=last.position))])

    patch.setattr(tail.LogTail, "_keep", more)


def tail_skips(patch: pytest.MonkeyPatch) -> None:
    """The tail leaves out an event of each read."""
    keep = tail.LogTail._keep
    patch.setattr(tail.LogTail, "_keep", lambda self, after, found: keep(self, after, found[1:] or found))


def tail_glued(patch: pytest.MonkeyPatch) -> None:
    """What was read further on is put behind the tail as if nothing lay between."""
    keep = tail.LogTail._keep
    patch.setattr(tail.LogTail, "_keep", lambda self, _after, found: keep(self, self._end, found))


def tail_remembers(patch: pytest.MonkeyPatch) -> None:
    """Events of before a restore stay in the tail when a consumer begins again."""
    clear = tail.LogTail.clear
    patch.setattr(tail.LogTail, "clear", lambda self: None if hasattr(self, "_end") else clear(self))


def tail_unbounded(patch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the tail."""
    patch.setattr(tail, "_size", lambda _: 0)
    made = tail.LogTail.__init__

    def endless(self: tail.LogTail, log: Any, service: str, codec: Any, *_limits: int) -> None:
        made(self, log, service, codec)

    patch.setattr(tail.LogTail, "__init__", endless)


def tail_deaf(patch: pytest.MonkeyPatch) -> None:
    """That nothing is new is believed although an append was told."""

    def uncounted(self: wakeup.Wakeup) -> None:
        for event in self._listeners:
            event.set()

    patch.setattr(wakeup.Wakeup, "notify", uncounted)


def tail_believes_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Without a notification the log is not asked again."""
    patch.setattr(tail, "monotonic", lambda: 0.0)


MUTANTS: list[tuple[Switch, Callable[..., Awaitable[None]]]] = [
    (opening_guards_not_compared, test_projector.test_a_zombie_writes_nothing),
    (opening_blind, test_projector.test_a_generation_that_was_replaced_writes_nothing),
    (opening_blind, test_flow.test_a_parked_key_waits_over_batches),
    (projectors_not_in_turn, test_projector.test_replicas_that_fold_into_one_row_take_turns),
    (parking_order_off, test_flow.test_a_parked_key_waits_over_batches),
    (passing_is_poison, test_flow.test_what_passes_is_not_poison),
    (waiting_is_poison, test_flow.test_a_cause_that_has_to_wait_is_not_parked),
    (budget_off, test_flow.test_past_the_budget_the_consumer_stops_and_says_so),
    (stop_not_told, test_signs_of_life.test_a_reader_past_its_parking_budget_is_named_and_not_restarted),
    (republish_without_chain, test_republish.test_unread_records_of_a_lost_topic_come_by_republishing),
    (relay_not_set_back, test_republish.test_unread_records_of_a_lost_topic_come_by_republishing),
    (merge_by_arrival, test_flow.test_a_rebuild_reads_partitions_in_any_order),
    (tail_invents, test_tail.test_what_the_tail_hands_on_is_what_the_log_holds),
    (tail_invents, test_tail.test_consumers_of_one_tail_each_see_each_event_once_beside_two_writers),
    (tail_skips, test_tail.test_what_the_tail_hands_on_is_what_the_log_holds),
    (tail_skips, test_tail.test_consumers_of_one_tail_each_see_each_event_once_beside_two_writers),
    (tail_glued, test_tail.test_a_reader_past_the_tail_begins_it_anew_without_a_hole),
    (tail_remembers, test_tail.test_a_consumer_that_begins_again_reads_the_log_as_it_is_after_a_restore),
    (tail_unbounded, test_tail.test_the_tail_is_bounded_in_events),
    (tail_unbounded, test_tail.test_the_tail_is_bounded_in_bytes),
    (tail_deaf, test_tail.test_polls_for_nothing_share_one_read_until_something_is_told),
    (tail_believes_for_ever, test_tail.test_another_writers_append_is_seen_although_nobody_tells),
    (lease_release_off, test_flow.test_released_leases_are_taken_at_the_next_renewal),
]


@pytest.fixture
async def running(service: str, log: logs.StoredLog, bus: Bus) -> AsyncIterator[Running]:
    await bus.ensure_topics(counter.topics(service))
    made = Running(service, log, bus)
    yield made
    await ended(made)


@pytest.mark.parametrize("bus", ["local"], indirect=True)
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("switch", "check"), [pytest.param(*m, id=f"{m[0].__name__}:{m[1].__name__}") for m in MUTANTS]
)
async def test_a_mutant_is_caught(
    switch: Switch, check: Callable[..., Awaitable[None]], monkeypatch: pytest.MonkeyPatch, store: Database, running: Running
) -> None:  # fmt: skip
    known: dict[str, Any] = {"store": store, "running": running, "monkeypatch": monkeypatch, "log": running.log}
    switch(monkeypatch)
    monkeypatch.setattr("tests.contract.conftest.until", lambda true, _limit_s=0: until(true, RED_S))
    with pytest.raises((Exception, pytest.fail.Exception)) as red:
        async with within(3 * RED_S):
            await check(**{name: known[name] for name in inspect.signature(check).parameters})
    assert not isinstance(red.value, TypeError | AttributeError | NameError), "the mutant itself is broken"
