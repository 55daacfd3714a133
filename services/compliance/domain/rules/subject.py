"""Subject of a Chinese word of praise: whether it is said of people, weather or occasions, which nobody advertises.

The subject is the head of the phrase that follows (国家级运动员, 唯一会弹古筝的人), the noun behind 是 (最强壮的是我爸), or where
nothing follows the noun before (老大遥遥领先). Goods, makers and all that is not listed are advertised, for all we know.
"""

import re
from collections.abc import Sequence
from itertools import takewhile

from services.compliance.domain.heads import Heads
from services.compliance.domain.letters import BREAK
from services.compliance.domain.words import tagged, word_end

PHRASE = 16
"""The phrase is looked at so far."""
COPULA = re.compile(r"(?:的)?(?:还是|就是|就数|要数|当属|当数|非|是)")
NOUNS, LEADING = "nr", "nbjmqzart"
"""Parts of speech in jieba's notation, by their first letter: heads, and what may stand before a head."""
SKIPPED = frozenset(["天下", "世界", "全世界", "宇宙", "真是", "真的", "简直", "已经", "一直"])

Tagged = Sequence[tuple[str, str]]


def said_of_others(heads: Heads, text: str, start: int, end: int) -> bool:
    """True where the word at [start, end) praises somebody or something that is not for sale."""
    end = max(end, word_end(text, end))
    after = tagged(text[end : end + PHRASE].partition(BREAK)[0])
    if copula := COPULA.match(text, end):
        return _is_other(heads, _head(tagged(text[copula.end() : copula.end() + PHRASE].partition(BREAK)[0])))
    if after:
        return _is_other(heads, _head(after) or _behind_a_clause(after))
    before = tagged(text[max(text.rfind(BREAK, 0, start) + 1, start - PHRASE) : start])
    nouns = [word for word, tag in before if tag[:1] in NOUNS + "a" and word not in SKIPPED]
    return _is_other(heads, nouns[-1] if nouns else "")


def _is_other(heads: Heads, word: str) -> bool:
    return not heads.is_goods(word) and not heads.is_maker(word) and heads.is_other(word)


def _head(words: Tagged) -> str:
    """The last noun of the phrase that begins here, behind 的; a verb, another 的 or a mark ends it."""
    rest = list(words[1:] if words and words[0][0] in ("的", "地", "之") else words)
    led = [*takewhile(lambda each: each[1][:1] in LEADING, rest)]
    first = next((n for n, (_, tag) in enumerate(led) if tag[:1] in "nm"), 0)
    phrase = [*led[: first + 1], *takewhile(lambda each: each[1][:1] != "r", led[first + 1 :])]
    nouns = [word for word, tag in phrase if tag[:1] in "nm"]
    return nouns[-1] if nouns else phrase[-1][0] if phrase else ""


def _behind_a_clause(words: Tagged) -> str:
    """The noun that a clause describes: 会弹古筝的人."""
    places = [n for n, (word, _) in enumerate(words) if word == "的"]
    return _head(words[places[-1] :]) if places else ""
