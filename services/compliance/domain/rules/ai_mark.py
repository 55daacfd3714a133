"""Content made by AI needs a visible mark. Params: `any_of`, patterns over folded text of which one must match."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known, pattern, texts


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, ("any_of",), "ai_mark")
    marks = [pattern(text) for text in texts(params.get("any_of"), "ai_mark.any_of")]

    def mark(case: Case) -> Iterator[Breach]:
        if case.content.ai_made and not any(
            pattern.search(part.folded.text) for pattern in marks for part in case.parts
        ):
            yield Breach()

    return mark
