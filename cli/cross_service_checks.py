"""Invariants between services, checked in their databases; only while nothing goes on, because the reads are not one snapshot."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from kernel.core.check import Check, CheckResult
from kernel.host.app import App

FINAL_STAGES = ("settled", "ended")
"""Stages of a deliverable in which nobody works on it or waits for money any more."""
QUERY_BATCH = 1_000


async def check_across_services(apps: Sequence[App]) -> list[CheckResult]:
    """Checks the services given; a check that needs a missing one is left out."""
    by_name = {app.service.name: app for app in apps}
    found = [await readers_not_past_logs(app, by_name) for app in apps]
    if {"campaigns", "ledger"} <= by_name.keys():
        found.append(await escrow_follows_work(by_name["campaigns"], by_name["ledger"]))
    return found


async def readers_not_past_logs(app: App, by_name: Mapping[str, App]) -> CheckResult:
    """No guard is past the log it reads. A database that was restored to an earlier moment than its consumers' fails here."""
    check, guards = Check("readers_not_past_logs"), app.metadata.tables["guards"]
    query = sa.select(guards.c.consumer, guards.c.source, sa.func.max(guards.c.last_position).label("seen"))
    async with app.database.reading() as connection:
        rows = (await connection.execute(query.group_by(guards.c.consumer, guards.c.source))).all()
    for row in rows:
        service, _, kind = row.source.partition(".")
        if kind.startswith("events.") and service in by_name:
            head = (await by_name[service].log.head()).position
            check.that(row.seen <= head, f"{row.consumer} has seen {service} up to {row.seen}, its log ends at {head}")
    return CheckResult(check.invariant, check.checked, check.problems, app.service.name)


async def escrow_follows_work(campaigns: App, ledger: App) -> CheckResult:
    """Escrow is held exactly for deliverables that go on: escrow of a settled or ended one was released or returned."""
    check, escrows = Check("escrow_follows_work"), ledger.metadata.tables["escrows"]
    async with ledger.database.reading() as connection:
        rows = (await connection.execute(sa.select(escrows.c.deliverable_id, escrows.c.status))).all()
    status = {row.deliverable_id: row.status for row in rows}
    stage: dict[str, str] = {}
    query = sa.text("SELECT deliverable_id, stage FROM deliverables WHERE deliverable_id IN :ids")
    async with campaigns.database.reading() as connection:
        for start in range(0, len(status), QUERY_BATCH):
            some = sorted(status)[start : start + QUERY_BATCH]
            asked = query.bindparams(sa.bindparam("ids", some, expanding=True))
            stage |= {row.deliverable_id: row.stage for row in await connection.execute(asked)}
    for deliverable, stands in sorted(status.items()):
        held, over = stands == "held", stage.get(deliverable) in FINAL_STAGES
        check.that(held != over, f"{deliverable} is {stage.get(deliverable, 'unknown')}, its escrow {stands}")
    return CheckResult(check.invariant, check.checked, check.problems, "ledger")
