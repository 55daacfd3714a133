"""Uses of a listed word that the law allows or wants proven.

A context `{id, hit, before, after, near, said_of, then}` fits when all that it gives fits: `hit` is all of the hit, `before`
ends where the hit starts, `after` starts where it ends, `near` lies in the same clause; `said_of: others` asks that the word be
said of what nobody advertises (subject.py); `then` is "silent" or a severity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.heads import Heads
from services.compliance.domain.rules.case import known, pattern
from services.compliance.domain.rules.subject import said_of_others
from services.compliance.domain.text import Folded

SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One context, compiled."""

    hit: re.Pattern[str] | None
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    near: re.Pattern[str] | None
    said_of_others: bool
    then: str

    def fits(self, folded: Folded, start: int, end: int, heads: Heads) -> bool:
        left, right = folded.clause(start, end)
        text = folded.text
        return not (
            (self.hit and not self.hit.fullmatch(text[start:end]))
            or (self.before and not self.before.search(text[left:start]))
            or (self.after and not self.after.match(text[end:right]))
            or (self.near and not self.near.search(text[left:right]))
            or (self.said_of_others and not said_of_others(heads, text, start, end))
        )


def circumstance(item: Mapping[str, Any]) -> Circumstance:
    known(item, ("id", "hit", "before", "after", "near", "said_of", "then"), "contexts")
    hit, before, after, near = (item.get(name) for name in ("hit", "before", "after", "near"))
    return Circumstance(
        pattern(hit) if hit else None,
        pattern(f"(?:{before})$") if before else None,
        pattern(after) if after else None,
        pattern(near) if near else None,
        item.get("said_of") == "others",
        SILENT if item["then"] == SILENT else Severity(item["then"]).value,
    )
