"""One state of the whole index: segments, which of their documents still stand, and the answers over all of them. Immutable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index import orders
from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits
from services.discovery.search.index.columns.texts import POSITIONS_LIMIT, runs_of
from services.discovery.search.index.filters import Words, found, matching
from services.discovery.search.index.questions import Answer, Facet, Filter, Question
from services.discovery.search.index.segment import Rows, Segment, merged, packed_ids

VALUES_LIMIT = 50
BLOCK = 64
"""Labels that are counted at a time, the most frequent first."""
SEGMENT_LIMIT = 4_000_000
"""Documents of one segment; more make further ones, which are asked one after the other."""
SMALL = 10_000
"""Segments of so many documents are merged as soon as they come, larger ones beside questions and changes."""
GROWTH = 2
"""Segments are merged as long as the one before is not so many times as large as all behind it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment and those of its documents that no later segment replaces."""

    segment: Segment
    standing: Bits


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Parts, the oldest first. A creator stands in at most one of them."""

    words: Words
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        return sum(bits.count(part.standing) for part in self.parts)

    @property
    def nbytes(self) -> int:
        return sum(part.segment.nbytes + part.standing.nbytes for part in self.parts)

    def without(self, ids: Sequence[str]) -> "Snapshot":
        """The same without these creators."""
        packed = packed_ids(ids)
        return replace(self, parts=tuple(_without(part, packed) for part in self.parts)) if ids else self

    def changed(self, rows: Rows, gone: Sequence[str] = ()) -> "Snapshot":
        """The same with these rows in place of what stood there, and without those that are gone; small segments are merged."""
        stood = tuple(_without(part, rows.ids) for part in self.without(gone).parts)
        if len(rows.ids):
            stood = (*stood, _part(Segment.of(self.words.alphabet, rows)))
        small = [part for part in stood if _is_small(part)]
        return replace(self, parts=(*(part for part in stood if not _is_small(part)), *self._merged(small, 2 * SMALL)))

    def compacted(self) -> "Snapshot":
        """Merges segments that are not small as long as the one before is not much larger; see `rebased`."""
        small = [part for part in self.parts if _is_small(part)]
        large = [part for part in self.parts if not _is_small(part)]
        return replace(self, parts=(*self._merged(large, SEGMENT_LIMIT), *small))

    def purged(self, small: bool = False) -> "Snapshot":
        """The same, the small segments or all others without documents that no longer stand."""
        parts = [self._joined([part]) if _is_small(part) == small else (part,) for part in self.parts]
        return replace(self, parts=tuple(one for made in parts for one in made))

    def forget_labels(self) -> None:
        """Takes the labels that no document has any more out of the words, which all snapshots of the index share."""
        for name, vocabulary in self.words.vocabularies.items():
            held = np.zeros(len(vocabulary.labels), np.int64)
            for part in self.parts:
                if name in part.segment.labels:
                    held += part.segment.labels[name].documents(len(held))
            vocabulary.forget(np.flatnonzero(held == 0))

    def rebased(self, before: "Snapshot", after: "Snapshot") -> "Snapshot":
        """This one with what `after` made of `before`'s segments, less what has changed since; itself where they are gone."""
        merged_away = [one for one in before.parts if not _among(one, after)]
        mine = {id(one.segment): one for one in self.parts}
        if any(id(one.segment) not in mine for one in merged_away):
            return self
        changed = [_ids(one, one.standing & ~mine[id(one.segment)].standing) for one in merged_away]
        gone = np.concatenate(changed) if changed else packed_ids([])
        made = [_without(one, gone) for one in after.parts if not _among(one, before)]
        kept = [one for one in self.parts if not any(one.segment is other.segment for other in merged_away)]
        large = [one for one in kept if not _is_small(one)]
        return replace(self, parts=(*large, *made, *(one for one in kept if _is_small(one))))

    def _merged(self, parts: Sequence[Part], limit: int) -> tuple[Part, ...]:
        """The last of these parts as one of `limit` documents at most, as long as they are not small beside the one before."""
        kept = [part for part in parts if part.standing.any()]
        behind: list[Part] = []
        while kept and _joins(kept[-1], behind, limit):
            behind.insert(0, kept.pop())
        return (*kept, *(self._joined(behind) if len(behind) > 1 else behind))

    def _joined(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        """One segment of what stands in these parts, none of nothing."""
        rows = [part.segment.rows(bits.docs_of(part.standing)) for part in parts if part.standing.any()]
        if len(parts) == 1 and rows and len(rows[0].ids) == parts[0].segment.size:
            return tuple(parts)
        return (_part(merged(self.words.alphabet, rows)),) if rows else ()

    def answer(self, question: Question) -> Answer:
        """The page, exact total and facets."""
        lifted = sorted({place for facet in question.facets for place in facet.own})
        looked = [_Look(self.words, part, question, lifted) for part in self.parts]
        hits = list(islice(merge(*[look.hits() for look in looked], key=lambda hit: hit[2]), question.size + 1))
        return Answer(
            tuple((creator_id, value) for creator_id, value, _ in hits[: question.size]),
            len(hits) > question.size,
            sum(bits.count(look.listed) for look in looked),
            tuple(self._facet(facet, looked) for facet in question.facets),
        )

    def ids(self, filters: Sequence[Filter], at: float) -> set[str]:
        """Everybody who matches."""
        found: set[str] = set()
        for part in self.parts:
            docs = bits.docs_of(matching(part.segment, self.words, filters, at, part.standing))
            found.update(map(part.segment.id_of, docs.tolist()))
        return found

    def fields(self, creator_id: str, parts: Sequence[tuple[str, bool]]) -> set[int]:
        """In which of a creator's texts, by their places, a part of a question stands."""
        asked = [one for one in (runs_of(self.words.alphabet, [part]) for part in parts) if one]
        found: set[int] = set()
        for part in self.parts:
            for doc in part.segment.docs_of_ids(packed_ids([creator_id])).tolist():
                if bits.has(part.standing, np.array([doc])).any():
                    found.update(*(part.segment.texts.fields_of(doc, codes, kind) for ((codes, kind),) in asked))
        return found

    def _facet(self, facet: Facet, looked: Sequence["_Look"]) -> tuple[tuple[str, int], ...]:
        vocabulary = self.words.vocabularies[facet.column]
        counts = _counted(facet, looked, len(vocabulary.labels))
        most = sorted((-int(counts[code]), vocabulary.labels[code]) for code in np.flatnonzero(counts))
        return tuple((label, -count) for count, label in most[:VALUES_LIMIT] if label)


class _Look:
    """One part looked at for a question: what matches, and what would match without each filter that a facet lifts."""

    def __init__(self, words: Words, part: Part, question: Question, lifted: Sequence[int]) -> None:
        self.part, self.question = part, question
        segment = part.segment
        others = [one for place, one in enumerate(question.filters) if place not in lifted]
        self.others = matching(segment, words, others, question.at, part.standing)
        self.own = {place: found(segment, words, question.filters[place], question.at) for place in lifted}
        self.found = self.but(())
        self.listed = orders.listable(segment, self.found, question.order, question.at)

    def but(self, places: Sequence[int]) -> Bits:
        """What matches all filters but those in these places."""
        made = self.others
        for place, own in self.own.items():
            if place not in places:
                made = made & own
        return made

    def hits(self) -> Iterable[tuple[str, float, tuple[float, str]]]:
        """Id, value and sort key of the page's hits in this part, and one more."""
        order, segment, asked = self.question.order, self.part.segment, self.question
        docs, values = orders.first(segment, self.found, order, asked.at, asked.behind, asked.size + 1)
        for doc, value in zip(docs.tolist(), values.tolist(), strict=True):
            creator_id = segment.id_of(doc)
            yield creator_id, value, (-value if order.falling else value, creator_id)


def _counted(facet: Facet, looked: Sequence[_Look], vocabulary: int) -> NDArray[np.int64]:
    """How many match by label, exact for all that may be among the most frequent."""
    counts, large = np.zeros(vocabulary, np.int64), list[tuple[Segment, Bits]]()
    for look in looked:
        segment, among = look.part.segment, look.but(facet.own)
        labels = segment.labels.get(facet.column)
        if labels is None:
            continue
        if labels.few(bits.count(among), vocabulary):
            counts += labels.counted_of(bits.docs_of(among), vocabulary)
        else:
            large.append((segment, among))
    return counts + _counted_largest(facet.column, large, counts)


def _counted_largest(
    column: str, large: Sequence[tuple[Segment, Bits]], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Counts the labels that most documents have first, until no other can come among the most frequent."""
    made = np.zeros_like(counts)
    if not large:
        return made
    most = counts + sum(segment.labels[column].documents(len(counts)) for segment, _ in large)
    by_most = np.argsort(-most, kind="stable").astype(np.int32)
    for start in range(0, len(by_most), BLOCK):
        codes = np.sort(by_most[start : start + BLOCK])
        made[codes] = sum(segment.labels[column].counted(among, codes) for segment, among in large)
        rest = by_most[start + BLOCK :]
        if not len(rest) or _nth(counts + made, VALUES_LIMIT) > most[rest[0]]:
            break
    return made


def _nth(counts: NDArray[np.int64], place: int) -> int:
    """The count in this place from the top; -1 where there are not so many."""
    return int(np.partition(counts, len(counts) - place)[len(counts) - place]) if len(counts) >= place else -1


def _joins(part: Part, behind: Sequence[Part], limit: int) -> bool:
    """Whether a part is merged with those behind it: it is not much larger, and together they are no too large segment."""
    documents = sum(one.segment.size for one in behind)
    letters = part.segment.texts.letters + sum(one.segment.texts.letters for one in behind)
    fits = letters < POSITIONS_LIMIT and part.segment.size + documents <= limit
    return not behind or (fits and part.segment.size < GROWTH * documents)


def _is_small(part: Part) -> bool:
    return part.segment.size <= SMALL


def _ids(part: Part, docs: Bits) -> NDArray[np.bytes_]:
    return part.segment.sorted_ids[part.segment.rank[bits.docs_of(docs)]]


def _among(part: Part, snapshot: Snapshot) -> bool:
    return any(part.segment is one.segment for one in snapshot.parts)


def _part(segment: Segment) -> Part:
    return Part(segment, bits.every(segment.size))


def _without(part: Part, ids: NDArray[np.bytes_]) -> Part:
    gone = part.segment.docs_of_ids(ids)
    return part if not len(gone) else replace(part, standing=part.standing & ~bits.of_docs(gone, part.segment.size))
