"""An endorser must have used the product: fires on a draft or final whose creator did not confirm reception."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, (), "product_used")
    return _used


def _used(case: Case) -> Iterator[Breach]:
    if not case.content.product_used and case.content.stage != "outline":
        yield Breach()
