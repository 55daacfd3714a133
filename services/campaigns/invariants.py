"""What must hold of campaigns' data beyond what each of its tables must be by itself."""

import sqlalchemy as sa

from kernel.core.check import Check, CheckResult
from kernel.host.app import App
from services.campaigns.reads import position
from services.campaigns.tables import CAMPAIGNS


async def budgets_agree(app: App) -> list[CheckResult]:
    """What a brand is shown as reserved is what decisions count as committed: two folds of one log, made apart.

    Looks at nothing while the read model is behind.
    """
    check, shown, kept = Check("budgets_agree"), CAMPAIGNS, app.metadata.tables["budgets"]
    made = app.metadata.tables["projections"]
    both = shown.join(kept, shown.c.campaign_id == kept.c.campaign_id)
    amounts = (
        shown.c.reserved_minor,
        kept.c.committed_minor,
        shown.c.budget_minor,
        kept.c.budget_minor.label("limit_minor"),
    )
    async with app.database.snapshot() as connection:
        query = sa.select(made.c.generation).where(made.c.name == "campaigns")
        generation = (await connection.execute(query)).scalar_one()
        at = await position(connection, app.metadata.tables["guards"], "campaigns", generation)
        if at != (await app.log.head(connection)).position:
            return [check.result()]
        rows = (await connection.execute(sa.select(shown.c.campaign_id, *amounts).select_from(both))).all()
    for row in rows:
        sound = (row.reserved_minor, row.budget_minor) == (row.committed_minor, row.limit_minor)
        check.that(sound, f"{row.campaign_id}: {row.reserved_minor} is shown, {row.committed_minor} is committed")
    return [check.result()]


INVARIANTS = (budgets_agree,)
