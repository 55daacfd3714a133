"""A wording that regulators judged not enough is the only disclosure: no accepted label beside it."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.disclosure import find, first_shown
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, (), "weak_label")
    return _weak


def _weak(case: Case) -> Iterator[Breach]:
    if first_shown(case.labels.accepted, [part.written for part in case.parts]):
        return
    due = case.labels.due(case.content)
    for part in case.parts:
        yield from _in_part(part, case.labels.weak, due.label)


def _in_part(part: Part, wordings: tuple[str, ...], fix: str) -> Iterator[Breach]:
    for wording in wordings:
        if span := find(wording, part.written):
            whole = part.written != part.original
            yield Breach(part.name, 0 if whole else span.start, len(part.original) if whole else span.end, fix=fix)
            return
