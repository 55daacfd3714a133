"""The kinds of columns that several tables have."""

import sqlalchemy as sa


def text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default=default)
