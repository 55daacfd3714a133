"""Head of a Chinese noun phrase, its last word: goods and services, who makes and sells them, or what nobody sells."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heads:
    """Whole words, and last characters that many words of a kind share (面霜, 眼霜); `not_goods` are words that only look so."""

    goods: frozenset[str]
    goods_endings: frozenset[str]
    not_goods: frozenset[str]
    maker: frozenset[str]
    maker_endings: frozenset[str]
    speaker: tuple[str, ...]
    other: frozenset[str]
    other_endings: frozenset[str]

    def is_other(self, word: str) -> bool:
        """People, weather, occasions: what is praised and not for sale."""
        return word in self.other or (len(word) > 1 and word[-1] in self.other_endings)

    def is_goods(self, word: str) -> bool:
        ends = len(word) > 1 and word[-1] in self.goods_endings
        return _ends_in(word, self.goods) or (ends and not _ends_in(word, self.not_goods))

    def is_maker(self, word: str) -> bool:
        return _ends_in(word, self.maker) or (len(word) > 1 and word[-1] in self.maker_endings)


def _ends_in(word: str, heads: frozenset[str]) -> bool:
    """牙科诊所 is a 诊所: the word is one of these, or ends in one of two or three characters."""
    return word in heads or word[-2:] in heads or word[-3:] in heads


def heads_of(rows: Sequence[tuple[str, str]]) -> Heads:
    """Heads of rows (kind, head); the kinds are the names of the fields, endings in the singular."""
    of = {kind: frozenset(head for each, head in rows if each == kind) for kind, _ in rows}
    return Heads(
        of["goods"],
        of["goods_ending"],
        of["not_goods"],
        of["maker"],
        of["maker_ending"],
        tuple(sorted(of["speaker"])),
        of["other"],
        of["other_ending"],
    )
