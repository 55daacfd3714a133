"""Filters over one segment: cheap ones as bitsets, the others on the documents that are left where these are few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index import measures
from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits, Docs, Flags
from services.discovery.search.index.columns.letters import Alphabet
from services.discovery.search.index.columns.numbers import within
from services.discovery.search.index.columns.texts import runs_of
from services.discovery.search.index.questions import Among, AnyOf, Column, Filter, Says, Within
from services.discovery.search.index.segment import Segment, packed_ids

FEW = 24
"""Where one in so many documents is left, a measure is looked up for these instead of for all."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Labels of one column by code, shared by all segments. A code is given once; the label of one that was forgotten is ""."""

    code_of: dict[str, int]
    labels: list[str]

    def codes(self, labels: Sequence[str]) -> NDArray[np.int32]:
        """The codes of those that any document ever had, ascending."""
        return np.array(sorted({self.code_of[one] for one in labels if one in self.code_of}), np.int32)

    def learn(self, label: str) -> int:
        code = self.code_of.get(label)
        if code is None:
            code = len(self.labels)
            self.labels.append(label)
            self.code_of[label] = code
        return code

    def forget(self, codes: NDArray[np.intp]) -> None:
        """Takes these labels out: no document has them, and what a person wrote of itself goes with the person."""
        for code in codes.tolist():
            self.code_of.pop(self.labels[code], None)
            self.labels[code] = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What segments share: letters, and labels by column."""

    alphabet: Alphabet
    vocabularies: Mapping[str, Vocabulary]


def matching(segment: Segment, words: Words, filters: Sequence[Filter], at: float, among: Bits) -> Bits:
    """The documents of `among` that match all filters."""
    for one in sorted(filters, key=_cost):
        among = _narrowed(segment, words, one, at, among)
    return among


def _cost(one: Filter) -> int:
    match one:
        case Among(negated=False):
            return 0
        case AnyOf():
            return 1
        case Says() | Among():
            return 2
        case Within(Column()):
            return 3
        case _:
            return 4


def _narrowed(segment: Segment, words: Words, one: Filter, at: float, among: Bits) -> Bits:
    if isinstance(one, Within) and bits.count(among) * FEW < segment.size:
        return _looked_up(segment, one, at, bits.docs_of(among))
    return among & found(segment, words, one, at)


def _looked_up(segment: Segment, one: Within, at: float, docs: Docs) -> Bits:
    flags: Flags = within(measures.values(segment, one.measure, at, docs), one.low, one.high)
    return bits.of_docs(docs[~flags if one.negated else flags], segment.size)


def found(segment: Segment, words: Words, one: Filter, at: float) -> Bits:
    """The documents that match one filter; a negated one may set bits behind the last document."""
    made = _found(segment, words, one, at)
    return ~made if not isinstance(one, Says) and one.negated else made


def _found(segment: Segment, words: Words, one: Filter, at: float) -> Bits:
    match one:
        case AnyOf(column, values):
            labels = segment.labels.get(column)
            return (
                bits.none(segment.size) if labels is None else labels.having(words.vocabularies[column].codes(values))
            )
        case Within(measure, low, high):
            numbers = measures.whole(segment, measure, at)
            return bits.none(segment.size) if numbers is None else numbers.within(low, high)
        case Says(parts):
            return _saying(segment, words.alphabet, list(parts))
        case Among(ids):
            return bits.of_docs(segment.docs_of_ids(packed_ids(sorted(ids))), segment.size)


def _saying(segment: Segment, alphabet: Alphabet, parts: list[tuple[str, bool]]) -> Bits:
    asked = runs_of(alphabet, parts)
    if asked is None:
        return bits.none(segment.size)
    held: Bits = np.bitwise_and.reduce([segment.texts.having(codes, unspaced) for codes, unspaced in asked])
    return held
