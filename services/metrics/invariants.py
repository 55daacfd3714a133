"""What every counter must be: the sum of its own minutes, all of them and those after its snapshot."""

import sqlalchemy as sa

from kernel.adapters.schema import bounded_sum
from kernel.core.check import PROBLEMS_LIMIT, Check, CheckResult
from kernel.host.app import App
from services.metrics.tables import CELLS, MINUTES


async def counters_add_up(app: App) -> list[CheckResult]:
    """In one query: cells and minutes move in one transaction."""
    check, cell, minute = Check("counters_add_up"), CELLS.c, MINUTES.c
    after = bounded_sum(sa.case((minute.minute >= cell.first_minute, minute.added), else_=0))
    wrong = (bounded_sum(minute.added) != cell.increments) | (after != cell.after)
    joined = CELLS.outerjoin(MINUTES, (minute.content == cell.content) & (minute.cell == cell.cell))
    query = sa.select(cell.content, cell.cell).select_from(joined).group_by(
        cell.content, cell.cell, cell.increments, cell.after
    ).having(wrong).limit(PROBLEMS_LIMIT)  # fmt: skip
    async with app.database.reading() as connection:
        check.checked = (await connection.execute(sa.select(sa.func.count()).select_from(CELLS))).scalar_one()
        for content, number in (await connection.execute(query)).all():
            check.fail(f"content {content}, cell {number}: its minutes give another sum")
    return [check.result()]


INVARIANTS = (counters_add_up,)
