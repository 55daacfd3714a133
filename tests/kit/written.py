"""What a person has written into the logs of all services, read from their databases."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from cli.layout import Layout
from tools.speed import patience


def events_of(layout: Layout, actors: Iterable[str]) -> list[str]:
    """Events of these people in all services, as `campaigns 12 brief.amended@1`, by service and position."""
    wanted = set(actors)
    return [told for service in sorted(layout.ports.http) for told in _of(layout, service, wanted)]


def _of(layout: Layout, service: str, actors: set[str]) -> list[str]:
    with closing(sqlite3.connect(layout.folder / f"{service}.db", timeout=patience(30))) as database:
        rows = database.execute("SELECT position, name, meta FROM log_events ORDER BY position").fetchall()
    return [f"{service} {position} {name}" for position, name, meta in rows if json.loads(meta)["actor"] in actors]
