"""What the search index must answer, reckoned row by row in plain Python; and random creators and questions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import numpy as np

from services.discovery.search.index.filters import Words
from services.discovery.search.index.questions import (
    Among,
    Answer,
    AnyOf,
    Blend,
    Column,
    Facet,
    Filter,
    Measure,
    Order,
    Price,
    Question,
    Says,
    UnitCost,
    Within,
)
from services.discovery.search.index.rows import rows_of
from services.discovery.search.index.segment import Rows, packed_ids
from services.discovery.search.index.snapshot import VALUES_LIMIT
from services.discovery.search.words import asked, normal, runs

NUMBERS = ("followers", "engagement", "growth", "rare", "price", "price_next", "price_since", "reads", "women", "young")
LABELS = {"category": 12, "language": 3, "tag": 160, "state": 2}
PRICE = Price("price", "price_next", "price_since")
MEASURES: tuple[Measure, ...] = (
    *map(Column, NUMBERS[:4]), PRICE, UnitCost(PRICE, "reads", 1000.0), Blend((("women", 0.75), ("young", 0.25))),
)  # fmt: skip
LETTERS = "美妆护肤旅行摄影ab ab cé"


@dataclass(frozen=True, slots=True)
class Creator:
    """Numbers by column, labels by column, texts."""

    numbers: Mapping[str, float]
    labels: Mapping[str, frozenset[str]]
    texts: tuple[str, ...]


@dataclass(slots=True)
class Plain:
    """Creators by id, and every question answered by looking at each of them."""

    creators: dict[str, Creator] = field(default_factory=dict)

    def answer(self, question: Question) -> Answer:
        found = {one: self._places(one, question) for one in self.creators}
        places = set(range(len(question.filters)))
        hits = sorted(
            self._keyed(one, question) for one in found if found[one] == places and self._known(one, question)
        )
        total = len(hits)
        if question.behind is not None:
            value = question.behind.value
            cursor = (-value if question.order.falling else value, question.behind.creator_id)
            hits = [hit for hit in hits if hit > cursor]
        page = tuple((one, -key if question.order.falling else key) for key, one in hits[: question.size])
        facets = tuple(self._facet(facet, found, places) for facet in question.facets)
        return Answer(page, len(hits) > question.size, total, facets)

    def _known(self, creator_id: str, question: Question) -> bool:
        return measured(self.creators[creator_id], question.order.measure, question.at) is not None

    def _keyed(self, creator_id: str, question: Question) -> tuple[float, str]:
        value = measured(self.creators[creator_id], question.order.measure, question.at)
        assert value is not None
        return (-value if question.order.falling else value, creator_id)

    def _places(self, creator_id: str, question: Question) -> set[int]:
        creator = self.creators[creator_id]
        return {place for place, one in enumerate(question.filters) if matches(creator_id, creator, one, question.at)}

    def _facet(self, facet: Facet, found: Mapping[str, set[int]], places: set[int]) -> tuple[tuple[str, int], ...]:
        counts = Counter(
            label
            for one, matched in found.items()
            if matched | set(facet.own) == places | set(facet.own)
            for label in self.creators[one].labels[facet.column]
        )
        most = sorted((-count, label) for label, count in counts.items())
        return tuple((label, -count) for count, label in most[:VALUES_LIMIT])


def measured(creator: Creator, measure: Measure, at: float) -> float | None:
    numbers = creator.numbers
    match measure:
        case Column(name):
            return numbers.get(name)
        case Price(base, later, since):
            return numbers.get(later) if numbers.get(since, np.inf) <= at else numbers.get(base)
        case UnitCost(price, per, factor):
            paid, each = measured(creator, price, at), numbers.get(per, 0)
            return float(np.floor(paid * factor / each)) if paid is not None and each > 0 else None
        case Blend(parts):
            if not any(name in numbers for name, _ in parts):
                return None
            return sum(numbers.get(name, 0.0) * weight for name, weight in parts)


def matches(creator_id: str, creator: Creator, one: Filter, at: float) -> bool:
    match one:
        case AnyOf(column, values, negated):
            return bool(creator.labels[column] & set(values)) != negated
        case Within(measure, low, high, negated):
            value = measured(creator, measure, at)
            inside = value is not None and (low is None or value >= low) and (high is None or value <= high)
            return inside != negated
        case Says(parts):
            return all(any(_stands(text, *part) for text in creator.texts) for part in parts)
        case Among(ids, negated):
            return (creator_id in ids) != negated


def _stands(text: str, part: str, unspaced: bool) -> bool:
    if unspaced:
        return any(part in run for run, _ in runs(normal(text)))
    return any(run.startswith(part) for run, _ in runs(normal(text)))


def rows(words: Words, creators: Mapping[str, Creator]) -> Rows:
    """The creators as an index takes them."""
    held = list(creators.values())
    numbers = {
        name: [(row, one.numbers[name]) for row, one in enumerate(held) if name in one.numbers] for name in NUMBERS
    }
    labels = {
        name: [(row, label) for row, one in enumerate(held) for label in sorted(one.labels[name])] for name in LABELS
    }
    return rows_of(
        words,
        packed_ids(list(creators)),
        {
            name: (np.array([row for row, _ in known], np.int32), np.array([value for _, value in known], np.float64))
            for name, known in numbers.items()
        },
        {
            name: (np.array([row for row, _ in known], np.int32), [label for _, label in known])
            for name, known in labels.items()
        },
        [normal(text) for one in held for text in one.texts],
    )


def creator(chance: Random) -> Creator:
    numbers: dict[str, float] = {"followers": float(chance.randrange(60) * 1000)}
    for name in NUMBERS[1:]:
        if chance.random() < (0.05 if name in ("rare", "price_since") else 0.8):
            numbers[name] = float(chance.randrange(40)) if chance.random() < 0.9 else chance.random()
    numbers.setdefault("price_next", 5.0)
    if "price" not in numbers:
        numbers.pop("price_since", None)
    labels = {
        name: frozenset(f"{name}{int(count * chance.random() ** 2)}" for _ in range(chance.randrange(4)))
        for name, count in LABELS.items()
    }
    texts = tuple("".join(chance.choice(LETTERS) for _ in range(chance.randrange(12))) for _ in range(3))
    return Creator(numbers, labels, texts)


def creator_id(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128)))


def question(chance: Random, ids: Sequence[str]) -> Question:
    filters = tuple(_filter(chance, ids) for _ in range(chance.randrange(5)))
    facets = tuple(
        Facet(name, tuple(place for place, one in enumerate(filters) if isinstance(one, AnyOf) and one.column == name))
        for name in LABELS
        if chance.random() < 0.5
    )
    order = Order(chance.choice(MEASURES), chance.random() < 0.6)
    return Question(filters, order, float(chance.randrange(45)), chance.choice((1, 3, 20)), facets=facets)


def _filter(chance: Random, ids: Sequence[str]) -> Filter:
    negated, kind = chance.random() < 0.2, chance.randrange(8)
    if kind < 3:
        column = chance.choice(tuple(LABELS))
        many = range(chance.randrange(1, 4))
        return AnyOf(column, tuple(f"{column}{chance.randrange(LABELS[column] + 1)}" for _ in many), negated)
    if kind < 6:
        low, high = sorted((float(chance.randrange(-5, 45)), float(chance.randrange(45))))
        bounds = (None if chance.random() < 0.3 else low, None if chance.random() < 0.3 else high + chance.random())
        return Within(chance.choice(MEASURES), *bounds, negated)
    if kind == 6:
        return Says(
            tuple(asked("".join(chance.choice(LETTERS) for _ in range(chance.randrange(1, 4))))) or (("美", True),)
        )
    return Among(frozenset(chance.sample(list(ids), min(len(ids), chance.randrange(12)))), negated)
