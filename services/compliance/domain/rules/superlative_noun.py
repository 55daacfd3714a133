"""最好 and its like said of what is advertised, its brand or its maker: "南昌最好的品牌设计公司", not "最好的办法".

What the word is said of is the head of the phrase that follows 的, or of the one before it where the clause ends after the word.
Params: `find`, a pattern of such words over folded text; `maker` and `goods`, the severities of either; `contexts` as in lexicon.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.heads import Heads
from services.compliance.domain.letters import BREAK
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known, pattern
from services.compliance.domain.rules.context import SILENT, Circumstance, circumstance
from services.compliance.domain.text import MAX_HITS
from services.compliance.domain.words import begins_a_word, tagged

NOUNS, LEADING = "nbjez", "nabjmqez"
"""Parts of speech in jieba's notation, by their first letter."""
PHRASE = 16
"""The phrase is looked at so far."""
ENDS = re.compile(r"(?:的|了|啦|呀|啊|哦|呢|吧|没有之一|之一|不过|无疑){0,2}(?:\n|$)")
FILLERS = re.compile(
    r"(?:的|是|就是|才是|真是|真的|真的是|绝对|永远|依旧|依然|目前|都|都是|也|也是|一直|算|算是|可以说|堪称|的确|确实"
    r"|还是|做得|做的|卖得|效果)$"
)
POINTED = re.compile(r"(?:这|该|此|本|我们|咱|家的)\w{0,8}$")


@dataclass(frozen=True, slots=True)
class Said:
    """Nouns that the word may be said of, with the severity of each."""

    heads: Heads
    maker: Severity
    goods: Severity

    def of(self, text: str, start: int, end: int) -> Severity | None:
        """How grave the word at [start, end) is; None where it is said of something else."""
        if text.startswith("的", end) and not ENDS.match(text, end):
            return self._grade(_head(text[end + 1 : end + 1 + PHRASE]))
        if not ENDS.match(text, end):
            return None
        before = _bare(text[max(text.rfind(BREAK, 0, start) + 1, start - PHRASE) : start])
        speaker = any(before.endswith(word) for word in self.heads.speaker)
        grade = self.maker if speaker else self._grade(_last(before))
        return grade if speaker or POINTED.search(before) or grade is self.maker else None

    def _grade(self, head: str) -> Severity | None:
        if self.heads.is_maker(head):
            return self.maker
        return self.goods if self.heads.is_goods(head) else None


def _head(phrase: str) -> str:
    """The last noun of the phrase; an adjective, or a verb before a noun (装修公司), leads to it, anything else ends it."""
    words = tagged(phrase.partition(BREAK)[0])
    led = takewhile(lambda n: _leads(words, n), range(len(words)))
    nouns = [words[n][0] for n in led if words[n][1][:1] in NOUNS or words[n][1] == "vn"]
    return nouns[-1] if nouns else ""


def _leads(words: list[tuple[str, str]], n: int) -> bool:
    tag, following = words[n][1], words[n + 1][1] if n + 1 < len(words) else ""
    return tag[:1] in LEADING or (tag[:1] == "v" and following[:1] in NOUNS)


def _bare(before: str) -> str:
    while match := FILLERS.search(before):
        before = before[: match.start()]
    return before


def _last(before: str) -> str:
    words = tagged(before)
    return words[-1][0] if words else ""


def check(params: Mapping[str, Any], lists: Lists) -> Check:
    known(params, ("find", "maker", "goods", "contexts"), "superlative_noun")
    find = pattern(params["find"])
    said = Said(lists.heads, Severity(params["maker"]), Severity(params["goods"]))
    contexts = [circumstance(item) for item in params.get("contexts", [])]

    def superlative(case: Case) -> Iterator[Breach]:
        for part in case.parts:
            for match in islice(find.finditer(part.folded.text), MAX_HITS):
                yield from _judged(part, *match.span(), said, contexts)

    return superlative


def _judged(part: Part, start: int, end: int, said: Said, contexts: list[Circumstance]) -> Iterator[Breach]:
    text = part.folded.text
    severity = said.of(text, start, end) if begins_a_word(text, start, end) else None
    outcome = (
        next((one.then for one in contexts if one.fits(part.folded, start, end, said.heads)), "")
        if severity
        else SILENT
    )
    if outcome != SILENT:
        span = part.folded.span(start, end)
        yield Breach(part.name, span.start, span.end, Severity(outcome) if outcome else severity)
