"""Each mechanism switched off turns a named check red: what a suite would not miss, it does not prove.

A switch is a patch of one mechanism; beside it stands the check (a test of the suites, run as it is) that must fail.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.core import guard
from kernel.eventlog import command_queue, commands, speculation, state_cache, writer
from kernel.eventlog import log as logs
from kernel.eventlog.postgres_log import PostgresLog
from kernel.eventlog.sqlite_log import SqliteLog
from kernel.processors.processes import ProcessRunner
from kernel.streams import checkpoints, parked, records, relay
from tests.contract import test_process, test_projector, test_relay, test_speculation, test_writer, test_writer_trouble
from tests.contract.conftest import Replicas, Running
from tests.kit import counter
from tests.kit.until import until, within
from tools.speed import patience

HEAD_TRIES = 100
RED_S = 4.0
"""What a mutant breaks may show as waiting for what never comes."""
LOGS: tuple[type[logs.StoredLog], ...] = (PostgresLog, SqliteLog)
Switch = Callable[[pytest.MonkeyPatch], None]


def head_cas_off(patch: pytest.MonkeyPatch) -> None:
    """An append goes to wherever the head is."""
    for kind in LOGS:
        patch.setattr(kind, "append", _anywhere(kind.append))


def _anywhere(append: Any) -> Any:
    async def anywhere(
        self: logs.Log, connection: AsyncConnection | None, rows: Any, expected: int, changes: Any = (), *_given: Any
    ) -> Any:
        for _ in range(HEAD_TRIES):  # others may append between the two
            at = await append(self, connection, rows, (await self.head(connection)).position, changes)
            if at is not None:
                return at
        return None

    return anywhere


def id_lookup_off(patch: pytest.MonkeyPatch) -> None:
    """Ids that were appended are not looked for."""

    async def nothing(*_: object) -> dict[Any, Any]:
        return {}

    for kind in LOGS:
        patch.setattr(kind, "find_commands", nothing)


def head_not_compared(patch: pytest.MonkeyPatch) -> None:
    """A batch that appends nothing is not checked to have been decided at the head."""
    append = state_cache.StateCache.append

    async def unchecked(self: Any, connection: Any, decisions: Any, moves: Any) -> logs.Head:
        if decisions.pending or moves:
            return await append(self, connection, decisions, moves)
        return logs.Head(self.position, self.now())

    patch.setattr(state_cache.StateCache, "append", unchecked)


def base_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """A batch that was decided ahead is appended whatever became of the batch under it."""
    patch.setattr(command_queue.CommandQueue, "drop_ahead", lambda _: None)
    patch.setattr(command_queue.CommandBatch, "is_on", lambda *_: True)


def requests_decided_ahead(patch: pytest.MonkeyPatch) -> None:
    """Also where it cannot be looked up whether their ids came before."""
    patch.setattr(speculation, "can_speculate", lambda _: True)


def missed_not_folded(patch: pytest.MonkeyPatch) -> None:
    """Behind others, the missed events are not folded into the cached states."""

    def advance_only(self: state_cache.StateCache, missed: Sequence[Any]) -> None:
        if missed:
            self.advance_to(logs.Head(missed[-1].position, missed[-1].recorded_at))

    patch.setattr(state_cache.StateCache, "catch_up_with", advance_only)


def rows_kept_when_behind(patch: pytest.MonkeyPatch) -> None:
    """Inline rows stay as they were although others appended."""
    patch.setattr(state_cache.TwoGenerationCache, "clear", lambda _: None)


def rows_read_before_the_lock(patch: pytest.MonkeyPatch) -> None:
    """A contended turn decides on rows that were read while another replica could still append."""

    async def catch_up(cache: state_cache.StateCache, groups: Any, connection: Any) -> Any:
        early = (await cache.load(groups))[1]
        missed = await cache.read_missed(connection)
        cache._rows.cache(early)
        return missed, early

    patch.setattr(state_cache.StateCache, "catch_up_locked", catch_up)


def early_decision_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """What was decided before the lock is appended whatever others appended meanwhile."""
    early, behind = speculation.EarlyDecision, speculation.EarlyDecision.behind
    patch.setattr(early, "behind", lambda one, missed, _: behind(replace(one, streams=frozenset()), missed, one.rows))


def early_decision_not_moved(patch: pytest.MonkeyPatch) -> None:
    """Receipts of what was decided before the lock name the places that others have taken meanwhile."""
    early, behind = speculation.EarlyDecision, speculation.EarlyDecision.behind
    patch.setattr(early, "behind", lambda one, _, rows: behind(one, [], rows))


def lost_is_failed(patch: pytest.MonkeyPatch) -> None:
    """A cut connection is told to the callers instead of being looked into: nobody catches up with the log."""

    async def give_up(_: state_cache.StateCache) -> None:
        raise state_cache.OutcomeUnknown

    patch.setattr(state_cache.StateCache, "catch_up", give_up)


def refusal_not_told(patch: pytest.MonkeyPatch) -> None:
    """A refused request leaves no event: the Decider of refusals decides nothing."""
    silent = replace(commands.refusal_decider(), decide=lambda *_: [])
    patch.setattr(commands, "refusal_decider", lambda: silent)


def guard_moves_with_failed_causes(patch: pytest.MonkeyPatch) -> None:
    """The checkpoint of a group that failed moves all the same."""
    patch.setattr(
        writer,
        "moves_of",
        lambda groups, _results: [one.in_transaction for one in groups if one.in_transaction],
    )


def guard_cas_off(patch: pytest.MonkeyPatch) -> None:
    """The guard row is not compared before it moves."""

    async def moved(*_: object) -> bool:
        return True

    patch.setattr(checkpoints.Checkpoints, "move", moved)


def admit_off(patch: pytest.MonkeyPatch) -> None:
    """Repeats are applied."""

    def everything(self: guard.Guard, records: Sequence[Any]) -> guard.Admitted[Any]:
        return guard.Admitted(list(records), records[-1].offset + 1, records[-1].position)

    patch.setattr(guard.Guard, "admit", everything)


def previous_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """What stands behind a hole is applied."""

    def chained(self: guard.Guard, records: Sequence[Any]) -> guard.Admitted[Any]:
        fresh = [record for record in records if record.position > self.last_position]
        last = fresh[-1].position if fresh else self.last_position
        return guard.Admitted(fresh, records[-1].offset + 1 if records else self.next_offset, last)

    patch.setattr(guard.Guard, "admit", chained)


def parking_off(patch: pytest.MonkeyPatch) -> None:
    """What fails is skipped."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr(parked.Parking, "park", nothing)


def checkpoint_cas_off(patch: pytest.MonkeyPatch) -> None:
    """A zombie relay's checkpoint overwrites the real one."""
    for kind in LOGS:
        patch.setattr(kind, "move_checkpoint", _from_anywhere(kind.move_checkpoint))


def _from_anywhere(move: Any) -> Any:
    async def blind(self: logs.StoredLog, _before: int, position: int, last: str, limit: int) -> logs.Moved:
        async with self.database.reading() as connection:
            there = (await connection.execute(sa.text("SELECT position FROM relay_checkpoint"))).scalar_one()
        moved: logs.Moved = await move(self, there, position, last, limit)
        return moved

    return blind


def checkpoint_before_ack(patch: pytest.MonkeyPatch) -> None:
    """The checkpoint moves, then the messages are sent."""

    async def hasty(self: relay.Relay) -> bool:
        before = await self.checkpoint()
        events = await self._log.read(before.position)
        if not events:
            return False
        made = self.build_round(events, before)
        await self._move(before, made.checkpoint)
        self._producer = self._producer or await self._bus.producer()
        await self._producer.send(made.batches, 5)
        return True

    patch.setattr(relay.Relay, "round", hasty)


MUTANTS: list[tuple[Switch, Callable[..., Awaitable[None]]]] = [
    (head_cas_off, test_writer.test_a_stale_replica_sees_inline_rows_as_they_are_now),
    (id_lookup_off, test_writer.test_a_repeat_gets_the_first_receipt),
    (id_lookup_off, test_writer.test_a_repeat_after_the_state_moved_on_still_gets_its_receipt),
    (head_not_compared, test_writer.test_a_stale_replica_does_not_refuse_what_is_allowed),
    (base_not_looked_at, test_speculation.test_a_batch_on_top_of_one_that_was_behind_is_decided_anew),
    (requests_decided_ahead, test_speculation.test_a_request_come_again_meanwhile_is_not_refused),
    (missed_not_folded, test_writer.test_a_stale_replica_does_not_allow_what_is_refused),
    (missed_not_folded, test_speculation.test_a_contended_turn_decides_on_the_stream_as_others_left_it),
    (
        rows_kept_when_behind,
        test_speculation.test_a_row_that_nobody_announced_is_loaded_once_and_found_in_the_cache_from_then_on,
    ),
    (rows_read_before_the_lock, test_speculation.test_a_contended_turn_reads_inline_rows_under_the_lock),
    (early_decision_not_looked_at, test_speculation.test_a_contended_turn_reads_inline_rows_under_the_lock),
    (early_decision_not_moved, test_speculation.test_a_contended_turn_names_the_places_it_appends_at),
    (lost_is_failed, test_writer_trouble.test_a_cut_connection_costs_and_doubles_nothing),
    (refusal_not_told, test_writer.test_a_requested_command_is_refused_in_public_once),
    (guard_moves_with_failed_causes, test_writer.test_a_group_stands_or_falls_together),
    (guard_moves_with_failed_causes, test_process.test_a_kill_before_the_guard_moves_loses_and_doubles_nothing),
    (guard_cas_off, test_projector.test_a_zombie_writes_nothing),
    (guard_cas_off, test_process.test_a_cause_and_its_guard_move_together),
    (admit_off, test_projector.test_a_republished_topic_changes_nothing),
    (previous_not_looked_at, test_projector.test_a_hole_waits_for_the_relays_repeat),
    (parking_off, test_projector.test_poison_stops_only_its_key_and_retry_heals_it),
    (parking_off, test_process.test_a_poisonous_cause_stops_only_its_key_and_retry_heals_it),
    (checkpoint_cas_off, test_relay.test_a_relay_that_lost_its_checkpoint_repeats_and_never_reorders),
    (checkpoint_before_ack, test_relay.test_what_was_not_acknowledged_is_sent_again),
]


async def ended(made: Replicas | Running) -> None:
    """What a mutant left behind stops, however it ends."""
    made.stop.set()
    if made.tasks:
        _, stuck = await asyncio.wait(made.tasks, timeout=patience(10))
        for task in stuck:
            task.cancel()


@pytest.fixture
async def replicas(store: Database) -> AsyncIterator[Replicas]:
    """As the writer's suite has them; a mutant may leave them in any state."""
    made = Replicas(store)
    yield made
    await ended(made)


@pytest.fixture
async def running(service: str, log: logs.StoredLog, bus: Bus) -> AsyncIterator[Running]:
    await bus.ensure_topics(counter.topics(service))
    made = Running(service, log, bus)
    yield made
    await ended(made)


@pytest.mark.parametrize("bus", ["local"], indirect=True)
@pytest.mark.parametrize(
    ("switch", "check"), [pytest.param(*m, id=f"{m[0].__name__}:{m[1].__name__}") for m in MUTANTS]
)
async def test_a_mutant_is_caught(
    switch: Switch, check: Callable[..., Awaitable[None]], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    store: Database, log: logs.Log, replicas: Replicas, running: Running,
) -> None:  # fmt: skip
    known: dict[str, Any] = {"store": store, "log": log, "replicas": replicas, "running": running}
    known |= {"monkeypatch": monkeypatch, "after_commit": True}
    if "echo" in inspect.signature(check).parameters:
        await checkpoints.Checkpoints(store, "echo").load([(records.OWN_LOG, 0)])
        known["echo"] = ProcessRunner(counter.ECHO, store, running.writer)
    switch(monkeypatch)
    monkeypatch.setattr("tests.contract.conftest.until", lambda true, _limit_s=0: until(true, RED_S))
    with pytest.raises((Exception, pytest.fail.Exception)) as red:
        async with within(3 * RED_S):
            await check(**{name: known[name] for name in inspect.signature(check).parameters})
    assert not isinstance(red.value, TypeError | AttributeError | NameError), "the mutant itself is broken"
