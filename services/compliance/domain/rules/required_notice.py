"""A sentence that the law asks for does not stand in title or text. Params: `any_of`, patterns of which one must match."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known, pattern, texts


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, ("any_of",), "required_notice")
    patterns = [pattern(text) for text in texts(params.get("any_of"), "required_notice.any_of")]

    def notice(case: Case) -> Iterator[Breach]:
        if case.category and not any(pattern.search(part.folded.text) for pattern in patterns for part in case.parts):
            yield Breach()

    return notice
