"""Accounts from CSV files, with labels where a file has them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.discovery.authenticity.columns import Floats, Profiles, profiles_of

TRAINING = Path(__file__).parent / "data" / "srf_followers.csv"
LABEL = "is_fake"
SAME = {"has_profile_picture": "has_picture"}
"""Columns of the training file by the names that the scorecard has for them."""


def read(path: Path, names: Mapping[str, str] = SAME) -> list[dict[str, Any]]:
    """The rows of a CSV file in UTF-8; `names` renames its columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{names.get(name, name): value for name, value in row.items() if name} for row in csv.DictReader(file)]


def labelled(rows: Sequence[Mapping[str, Any]]) -> tuple[Profiles, Floats]:
    """The profiles, and 1.0 for each that is fake."""
    return profiles_of(rows), np.array([float(row[LABEL]) for row in rows])


def training() -> tuple[Profiles, Floats]:
    return labelled(read(TRAINING))


def part(profiles: Profiles, rows: Any) -> Profiles:
    """Some of the rows."""
    some = {name: column[rows] for name, column in profiles.values.items()}
    return Profiles(some, len(next(iter(some.values()))))


def without(profiles: Profiles, *columns: str) -> Profiles:
    """The same accounts where these columns are not known."""
    return Profiles({name: column for name, column in profiles.values.items() if name not in columns}, profiles.rows)
