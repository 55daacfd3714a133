"""Words of a Chinese text: where one ends and the next begins, by the dictionary of jieba.

A listed term is meant only where it is made of whole words: "对抗炎热" is 对抗 and 炎热, and not 抗炎.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import rjieba

LONG = 4
"""So many characters do not stand side by side by chance."""
SHARED = 2
Cut = tuple[Sequence[int], Sequence[int]]
"""For each border between two characters (and for both ends) where the word that covers it begins and ends."""


@lru_cache(maxsize=128)
def cut(text: str) -> Cut:
    """Words by the dictionary alone: unknown characters stay single, so that a new word hides no term."""
    begins: list[int] = []
    ends: list[int] = []
    for begin, end in pairwise(accumulate(map(len, rjieba.cut(text, False)), initial=0)):
        begins += [begin] * (end - begin)
        ends += [end] * (end - begin)
    return [*begins, len(text)], [*ends, len(text)]


def begins_a_word(text: str, start: int, end: int) -> bool:
    """True when a word begins at `start`; when [start, end) ends the word it stands in; or when they share two characters.

    Chinese words have their head last: 世界冠军 is a 冠军, 全世界 a 世界.
    """
    begins, ends = cut(text)
    return begins[start] == start or ends[start] == end or SHARED <= ends[start] - start < end - start


def ends_a_word(text: str, start: int, end: int, goods: Collection[str]) -> bool:
    """True when a word ends at `end`; when the word goes on to a kind of `goods`; or when they share two characters.

    消炎药 is goods against 消炎; 有机会 is neither organic nor goods.
    """
    begins, ends = cut(text)
    if begins[end] >= end:
        return True
    if begins[end] == start:
        return text[ends[end] - 1] in goods
    return start < begins[end] and end - begins[end] >= SHARED


def word_end(text: str, place: int) -> int:
    """Where the word ends that goes on at a place; the place itself where a word begins there."""
    begins, ends = cut(text)
    return ends[place] if begins[place] < place else place


def meant(text: str, start: int, end: int, goods: Collection[str], runs_on: bool = False) -> bool:
    """True when a term at [start, end) is made of whole words; one that `runs_on` may end inside a word (最全 in 最全面)."""
    if end - start >= LONG:
        return True
    ends = ends_a_word(text, start, end, goods) or (runs_on and not _inside_a_verb(text, end))
    return begins_a_word(text, start, end) and ends


def _inside_a_verb(text: str, place: int) -> bool:
    """最强调 holds the verb 强调 and no 最强; 最全面 goes on to an adjective."""
    begins, ends = cut(text)
    return begins[place] < place and tagged(text[begins[place] : ends[place]])[0][1].startswith("v")


def tagged(text: str) -> list[tuple[str, str]]:
    """Words with their parts of speech in jieba's notation."""
    tags: Callable[[str], list[tuple[str, str]]] = rjieba.tag
    return tags(text)
