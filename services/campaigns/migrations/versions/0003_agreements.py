"""What came of each acceptance, folded from the log for the acceptances of before."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from services.campaigns.tables import metadata

revision = "0003"
down_revision = "0002"
STEPS = {
    "application.accepted@1": "agreed",
    "collaboration.contracted@1": "at_work",
    "application.released@1": "over",
    "collaboration.cancelled@1": "over",
    "collaboration.settled@1": "over",
}


def upgrade() -> None:
    metadata().create_all(op.get_bind(), [metadata().tables["agreements"]])
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Writes the whole table anew; of each acceptance the newest step counts."""
    tables = metadata().tables
    agreements, events = tables["agreements"], tables["log_events"]
    told = sa.select(events.c.stream, events.c.name, events.c.data).where(events.c.name.in_(STEPS))
    rows: dict[str, dict[str, str]] = {}
    for stream, name, data in connection.execute(told.order_by(events.c.position)):
        row = _row(stream, STEPS[name], json.loads(data))
        rows[row["collaboration_id"]] = row
    connection.execute(sa.delete(agreements))
    if rows:
        connection.execute(sa.insert(agreements), list(rows.values()))


def _row(stream: str, step: str, event: dict[str, Any]) -> dict[str, str]:
    deal = event.get("contract") or event["parties"]
    work_id = deal.get("collaboration_id") or event.get("collaboration_id") or stream.partition("-")[2]
    return {"collaboration_id": work_id, "brand_id": deal["brand_id"], "creator_id": deal["creator_id"], "step": step}
