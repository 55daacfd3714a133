"""Twenty-four questions as brands ask them: each with its total, four facets and the first twenty."""

from collections.abc import Iterator

from services.discovery.search.index.questions import (
    AnyOf,
    Blend,
    Column,
    Facet,
    Filter,
    Order,
    Price,
    Question,
    Says,
    UnitCost,
    Within,
)
from services.discovery.search.words import asked

AT = 1.7923e9
PRICE = Price("price", "price_next", "price_since")
FACETS = ("category", "platform", "tier", "location")
FOLLOWERS, RATE, CHEAP = Order(Column("followers")), Order(Column("engagement")), Order(PRICE, falling=False)
CPM = UnitCost(PRICE, "exposures", 1000.0)
WOMEN = Blend((("women", 0.7), ("young", 0.3)))


def says(text: str) -> Says:
    return Says(tuple(asked(text)))


def questions(phrases: tuple[str, ...]) -> Iterator[Question]:
    """The questions; `phrases` are ones that bios hold, the most frequent first."""
    open_ = AnyOf("availability", ("open",))
    for filters, order in (
        ((), FOLLOWERS),
        ((AnyOf("category", ("美妆",)),), FOLLOWERS),
        ((AnyOf("category", ("美妆", "护肤")), AnyOf("tier", ("koc", "mid")), open_), FOLLOWERS),
        ((AnyOf("category", ("美食",)), AnyOf("location", ("CN/p0", "CN/p3"))), RATE),
        ((AnyOf("tag", ("t1", "t2", "t40")), AnyOf("platform", ("douyin",))), FOLLOWERS),
        ((AnyOf("tag", ("t777",)),), RATE),
        ((Within(Column("followers"), 10_000, 50_000), Within(PRICE, None, 300_000)), CHEAP),
        ((Within(Column("followers"), 100_000), AnyOf("language", ("en",))), RATE),
        ((Within(Column("engagement"), 800), AnyOf("category", ("时尚",)), open_), FOLLOWERS),
        ((Within(PRICE, 100_000, 500_000), AnyOf("platform", ("xiaohongshu",))), CHEAP),
        ((Within(CPM, None, 40_000), AnyOf("tier", ("mid",))), FOLLOWERS),
        ((Within(CPM, None, 90_000), AnyOf("category", ("母婴",))), Order(CPM, falling=False)),
        ((Within(WOMEN, 7_000), AnyOf("category", ("护肤",))), FOLLOWERS),
        ((Within(Column("women"), 6_000), Within(Column("young"), 6_500)), RATE),
        ((AnyOf("state", ("fraud", "watch"), negated=True), Within(Column("on_time"), 9_000)), FOLLOWERS),
        ((AnyOf("category", ("其他", "素材"), negated=True), AnyOf("location", ("CN/p1/c2",))), FOLLOWERS),
        ((says(phrases[0]),), FOLLOWERS),
        ((says(phrases[30]), AnyOf("tier", ("nano", "koc"))), RATE),
        ((says(phrases[100]), Within(PRICE, None, 800_000)), CHEAP),
        ((says("王小"),), FOLLOWERS),
        ((says("李子"), AnyOf("location", ("CN/p0",)), open_), RATE),
        ((AnyOf("platform", ("bilibili", "youtube")), Within(Column("growth"), 1_000)), Order(Column("growth"))),
        ((Within(Column("authenticity"), 80), Within(Column("reads"), 20_000), open_), Order(Column("reads"))),
        ((Within(Column("jobs"), None, 1), AnyOf("tier", ("head",))), FOLLOWERS),
    ):  # fmt: skip
        yield Question(filters, order, AT, 20, facets=tuple(_facet(name, filters) for name in FACETS))


def _facet(name: str, filters: tuple[Filter, ...]) -> Facet:
    own = (place for place, one in enumerate(filters) if isinstance(one, AnyOf) and one.column == name)
    return Facet(name, tuple(own))
