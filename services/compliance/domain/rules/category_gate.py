"""Product categories that creators may not, or not without papers, recommend.

Params: `needs` names a kind of evidence (e.g. "approval") that, until it runs out, lowers the finding to `with_evidence`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known


def check(params: Mapping[str, Any], _lists: Lists) -> Check:
    known(params, ("needs", "with_evidence"), "category_gate")
    needs, lowered = str(params.get("needs", "")), Severity(params.get("with_evidence", "warning"))

    def gate(case: Case) -> Iterator[Breach]:
        if not case.category:
            return
        shown = needs and any(evidence.holds(needs, case.day) for evidence in case.content.evidence)
        yield Breach(severity=lowered if shown else None)

    return gate
