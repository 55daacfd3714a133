"""The log, the kernel's tables, budgets and briefs in force."""

from alembic import op

from kernel.adapters.schema import first_tables
from services.campaigns.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    first_tables(op.get_bind(), metadata())
