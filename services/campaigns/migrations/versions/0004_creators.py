"""What is heard of creators since 0.1.0: offers held, work barred, virtual humans. A new database has the columns already."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
COLUMNS = ("offers_held", "barred", "virtual_human")


def upgrade() -> None:
    there = {one["name"] for one in sa.inspect(op.get_bind()).get_columns("creators")}
    for name in COLUMNS:
        if name not in there:
            op.add_column("creators", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
