"""An accepted label is there, but where few see it: after the fold of the text, or only among the hashtags."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.disclosure import find, first_shown, leads
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, (), "buried_label")
    return _buried


def _buried(case: Case) -> Iterator[Breach]:
    content, accepted = case.content, case.labels.accepted
    label = first_shown(accepted, [part.written for part in case.parts])
    if not label or leads(accepted, content.title, content.text):
        return
    span = find(label, content.text)
    due = case.labels.due(content)
    yield Breach("text", span.start, span.end, fix=due.label) if span else Breach(fix=due.label)
