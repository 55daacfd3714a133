"""No accepted label in title, text or tags, and none declared elsewhere. The fix is the label that will be attached."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.disclosure import declared, first_shown
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, (), "missing_label")
    return _missing


def _missing(case: Case) -> Iterator[Breach]:
    due = case.labels.due(case.content)
    if declared(due, case.content, case.day):
        return
    if not first_shown(case.labels.accepted, [part.written for part in case.parts]):
        yield Breach(fix=f"{due.label} ({due.placement})")
