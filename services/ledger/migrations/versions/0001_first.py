"""The log, the kernel's tables, and the ledger's inline tables with their bounds."""

from alembic import op

from kernel.adapters.schema import first_tables
from services.ledger.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    first_tables(op.get_bind(), metadata())
