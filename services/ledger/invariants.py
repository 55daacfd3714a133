"""What must hold of the ledger's data: its books, proven as VerifyLedger proves them, without a server."""

from collections.abc import Sequence

from kernel.core.check import CheckResult
from kernel.host.app import App
from services.ledger.ports import anchors_of
from services.ledger.reads.verify import verify


async def books_proven(app: App) -> Sequence[CheckResult]:
    """Every check of the proof of the books."""
    return (await verify(app.log, app.service.codec, anchors_of(app.settings))).checks


INVARIANTS = (books_proven,)
