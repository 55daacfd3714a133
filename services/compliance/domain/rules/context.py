"""Uses of a listed word that the law allows or wants proven.

A context `{id, hit, before, after, near, then}` fits when every pattern that it gives fits: `hit` is all of the hit, `before`
ends where the hit starts, `after` starts where it ends, `near` lies in the same clause; `then` is "silent" or a severity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.rules.case import known, pattern
from services.compliance.domain.text import Folded

SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Circumstance:
    """One context, compiled."""

    hit: re.Pattern[str] | None
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    near: re.Pattern[str] | None
    then: str

    def fits(self, folded: Folded, start: int, end: int) -> bool:
        left, right = folded.clause(start, end)
        text = folded.text
        return not (
            (self.hit and not self.hit.fullmatch(text[start:end]))
            or (self.before and not self.before.search(text[left:start]))
            or (self.after and not self.after.match(text[end:right]))
            or (self.near and not self.near.search(text[left:right]))
        )


def circumstance(item: Mapping[str, Any]) -> Circumstance:
    known(item, ("id", "hit", "before", "after", "near", "then"), "contexts")
    hit, before, after, near = (item.get(name) for name in ("hit", "before", "after", "near"))
    return Circumstance(
        pattern(hit) if hit else None,
        pattern(f"(?:{before})$") if before else None,
        pattern(after) if after else None,
        pattern(near) if near else None,
        SILENT if item["then"] == SILENT else Severity(item["then"]).value,
    )
