"""An endorser must have used the product: fires on a draft or final whose creator neither received nor owns it.

Params: `says`, patterns over folded text; with them it fires only where the text says that its author has used the product.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known, pattern, texts


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, ("says",), "product_used")
    says = [pattern(text) for text in texts(params.get("says"), "product_used.says")]

    def used(case: Case) -> Iterator[Breach]:
        if case.content.product_used or case.content.stage == "outline":
            return
        if not says:
            yield Breach()
        for part in case.parts:
            if found := next((hit for each in says if (hit := each.search(part.folded.text))), None):
                span = part.folded.span(*found.span())
                yield Breach(part.name, span.start, span.end)

    return used
