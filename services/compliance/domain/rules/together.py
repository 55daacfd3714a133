"""Things that may not stand together: what `text` describes (patterns) beside a buying route or a contact.

Params: `text` patterns, `contact` patterns; a link or a code of the content counts as a buying route.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known, pattern, texts


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, ("text", "contact"), "together")
    subject = [pattern(text) for text in texts(params.get("text"), "together.text")]
    contact = [pattern(text) for text in texts(params.get("contact"), "together.contact")]

    def together(case: Case) -> Iterator[Breach]:
        if case.content.links or case.content.codes or any(True for _ in _places(contact, case)):
            yield from _places(subject, case)

    return together


def _places(patterns: list[re.Pattern[str]], case: Case) -> Iterator[Breach]:
    for part in case.parts:
        for each in patterns:
            yield from (_breach(part, match) for match in each.finditer(part.folded.text))


def _breach(part: Part, match: re.Match[str]) -> Breach:
    span = part.folded.span(match.start(), match.end())
    return Breach(part.name, span.start, span.end)
