"""The log, the kernel's tables and the totals of the counters."""

from alembic import op

from kernel.adapters.schema import first_tables
from tests.kit.counter import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    first_tables(op.get_bind(), metadata())
