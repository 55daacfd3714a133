"""A table of account profiles: which columns there are, what they hold, and which of them a row may leave empty.

Every column may be missing, and every cell empty: what is not known is neither for nor against an account.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.core.faults import Invalid

Floats = NDArray[np.float64]
COLUMNS = {
    "followers": "how many accounts follow this one",
    "following": "how many accounts this one follows",
    "posts": "how many posts it has published",
    "has_picture": "1: a profile picture of its own; 0: the platform's empty one",
    "has_bio": "1: a text about itself; 0: none",
    "has_link": "1: a link in its profile; 0: none",
    "username_length": "characters of the handle, without @",
    "username_digits": "how many of them are digits",
}
"""The columns that the scorecard knows. Other columns of a file are read over, but for DERIVED."""
DERIVED = {
    "username": "the handle; gives username_length and username_digits",
    "bio": "the text; gives has_bio",
    "bio_length": "characters of the text; gives has_bio",
    "username_digit_share": "0..1; with username_length or without, gives username_digits",
}
FLAGS = frozenset({"has_picture", "has_bio", "has_link"})
WORDS = {"true": "1", "false": "0", "yes": "1", "no": "0"}
COUNT_LIMIT = 1e11
ROWS_LIMIT = 1_000_000
TYPICAL_LENGTH = 12.0
"""Length of a handle where only the share of its digits is known."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Columns of the same length; NaN: not known."""

    values: Mapping[str, Floats]
    rows: int

    def column(self, name: str) -> Floats:
        """The column; all NaN where nobody told it."""
        return self.values[name] if name in self.values else np.full(self.rows, np.nan)


def profiles_of(rows: Sequence[Mapping[str, Any]]) -> Profiles:
    """Rows of texts or numbers by column. Raises Invalid `profiles.*` naming line (the header is line 1), column and rule."""
    if not rows:
        raise Invalid("profiles.empty", do="send at least one row under a header")
    if len(rows) > ROWS_LIMIT:
        raise Invalid("profiles.too_many_rows", limit=ROWS_LIMIT)
    told = {name for row in rows for name in row}
    if not told & (COLUMNS.keys() | DERIVED.keys()):
        raise Invalid("profiles.no_known_column", expected=" ".join((*COLUMNS, *DERIVED)))
    table = {
        name: np.array([_number(name, row.get(name), line) for line, row in enumerate(rows, 2)])
        for name in COLUMNS
        if name in told
    }
    for name, column in _derived(rows, told).items():
        table[name] = np.where(np.isnan(table[name]), column, table[name]) if name in table else column
    return Profiles(table, len(rows))


def _derived(rows: Sequence[Mapping[str, Any]], told: set[str]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    if "bio" in told:
        found["has_bio"] = np.array(
            [np.nan if row.get("bio") is None else bool(row["bio"].strip()) for row in rows], float
        )
    if "bio_length" in told:
        lengths = _numbers(rows, "bio_length")
        found["has_bio"] = np.where(np.isnan(lengths), np.nan, (lengths > 0).astype(float))
    if "username_digit_share" in told:
        lengths = _numbers(rows, "username_length") if "username_length" in told else np.full(len(rows), np.nan)
        lengths = np.where(np.isnan(lengths), TYPICAL_LENGTH, lengths)
        found["username_digits"] = _numbers(rows, "username_digit_share") * lengths
        found["username_length"] = lengths
    if "username" in told:
        handles = [str(row.get("username") or "").strip().removeprefix("@") for row in rows]
        found["username_length"] = np.array([len(one) or np.nan for one in handles])
        digits = (sum(mark.isdigit() for mark in one) if one else np.nan for one in handles)
        found["username_digits"] = np.array(list(digits), dtype=float)
    return found


def _numbers(rows: Iterable[Mapping[str, Any]], name: str) -> Floats:
    return np.array([_number(name, row.get(name), line) for line, row in enumerate(rows, 2)])


def _number(name: str, value: Any, line: int) -> float:
    """NaN for an empty cell; raises Invalid `profiles.number_malformed` or `.number_out_of_range`."""
    text = "" if value is None else str(value).strip()
    if not text:
        return float("nan")
    try:
        number = float(WORDS.get(text.lower(), text))
    except ValueError:
        raise Invalid("profiles.number_malformed", column=name, line=line, value=text[:40]) from None
    highest = 1.0 if name in FLAGS or name == "username_digit_share" else COUNT_LIMIT
    if not 0 <= number <= highest:
        raise Invalid("profiles.number_out_of_range", column=name, line=line, lowest=0, highest=int(highest))
    return number
