"""Claims about health. Params: `about` ("disease" or "function"), `register`, the name of a register of permitted claims.

"disease": goods are said to prevent, treat or cure a disease; what people, animals or a walk do for one is small talk.
"function": goods are said to do something to the body; a claim that the register permits is left as a notice with its condition
of use, any other has the rule's severity.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from kernel.core.faults import Invalid
from services.compliance.domain.findings import Severity
from services.compliance.domain.health import Health
from services.compliance.domain.letters import BREAK, GAP
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known
from services.compliance.domain.text import CONTEXT, MAX_HITS


def check(params: Mapping[str, Any], lists: Lists) -> Check:
    known(params, ("about", "register"), "health_claim")
    kinds: dict[str, Callable[[Health, Part, str], Iterator[Breach]]] = {
        "disease": _diseases,
        "function": partial(_functions, register=str(params.get("register", ""))),
    }
    if params.get("about") not in kinds:
        raise Invalid("pack.malformed", where="health_claim.about", expected="disease or function")
    judge = kinds[params["about"]]

    def claim(case: Case) -> Iterator[Breach]:
        for part in case.parts:
            yield from judge(lists.health, part, case.category)

    return claim


TAKEN = frozenset({"", "food", "health_food", "cosmetics"})
"""Categories of what is eaten or put on the body; an unknown one may be such."""


def _diseases(health: Health, part: Part, category: str) -> Iterator[Breach]:
    folded = part.folded
    for hit in health.diseases.find(folded):
        left, right = folded.clause(hit.start, hit.end)
        if health.another_word.match(folded.text, hit.start):
            continue
        said = _said(health, folded.text, (left, hit.start, hit.end, right), category in TAKEN)
        if said and not health.about_something_else.search(folded.text[max(0, left - CONTEXT) : right]):
            yield _breach(part, *said)


def _said(health: Health, text: str, places: tuple[int, int, int, int], about_goods: bool) -> tuple[int, int] | None:
    """From the verb to the disease, or from the disease to what became of it."""
    left, start, end, right = places
    before = text[left:start]
    if verb := health.heals.search(before):
        subject = before[: verb.start()]
        small_talk = health.denied.search(subject) or health.is_small_talk(subject)
        return None if small_talk else (left + verb.start(), end)
    if verb := health.helps.search(before):
        subject = before[: verb.start()]
        claim = not health.denied.search(subject) and health.is_claim(subject, text[end:right], about_goods)
        return (left + verb.start(), end) if claim else None
    after = health.healed.match(text[end:right])
    return (start, end + after.end()) if after and not health.denied.search(before) else None


def _functions(health: Health, part: Part, category: str, register: str) -> Iterator[Breach]:
    folded = part.folded
    for match in islice(health.promises.finditer(folded.text), MAX_HITS):
        left, right = folded.clause(*match.span())
        if not health.denied.search(folded.text[left : match.start()]):
            spoken = folded.text[max(0, left - CONTEXT) : right].replace(BREAK, GAP)
            yield _graded(health, part, match, spoken, register)


def _graded(health: Health, part: Part, match: re.Match[str], spoken: str, register: str) -> Breach:
    condition = health.permits(register, spoken)
    if condition is None:
        return _breach(part, *match.span())
    return _breach(part, *match.span(), Severity.NOTICE, condition)


def _breach(part: Part, start: int, end: int, severity: Severity | None = None, fix: str = "") -> Breach:
    span = part.folded.span(start, end)
    return Breach(part.name, span.start, span.end, severity, fix)
