"""The vault: keys of persons, under which personal fields of events are encrypted."""

from alembic import op

from services.campaigns.tables import metadata

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    tables = metadata().tables
    metadata().create_all(op.get_bind(), [tables["personal_keys"], tables["personal"]])
