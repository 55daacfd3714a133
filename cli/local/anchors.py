"""Anchors belong to the database that they anchor: those of one that is gone are set aside before a new one begins."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path


def set_aside(folder: Path, say: Callable[[str], None]) -> None:
    """For a ledger without a database: renames its anchors, if there are any, so that no new journal is compared with them.

    They are kept: they prove what the journal of the earlier database was.
    """
    if any(folder.glob("*.anchors")):
        aside = folder.with_name(f"{folder.name}-until-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        folder.rename(aside)
        say(f"the ledger's database is new: anchors of an earlier one are now in {aside}")
