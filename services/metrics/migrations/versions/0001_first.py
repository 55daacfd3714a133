"""The log, its companions, and the inline tables of links, clicks, coupons and order numbers."""

from alembic import op

from kernel.adapters.schema import first_tables
from services.metrics.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    first_tables(op.get_bind(), metadata())
