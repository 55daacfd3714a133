"""The log, its head, guards, personal data and handles."""

from alembic import op

from kernel.adapters.schema import first_tables
from services.discovery.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    first_tables(op.get_bind(), metadata())
