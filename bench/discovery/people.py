"""Creators at random whose traits hang together: what a category is paid, who follows it, what its people write.

Followers are log-normal; engagement falls and prices grow with them; tags, places and phrases follow Zipf's law.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.discovery.domain.categories import FIRST_LEVEL
from services.discovery.domain.tiers import tier_of

CATEGORIES = tuple(FIRST_LEVEL)
PROVINCES, CITIES = 31, 12
TAGS_OF_ONE, TAGS = 3, 2_000
PLATFORMS = ("xiaohongshu", "douyin", "weibo", "bilibili", "tiktok", "instagram", "youtube")
LANGUAGES = ("zh", "en", "ja", "ko", "fr", "es")
PHRASES_OF_ONE, PHRASES = 5, 400
SURNAMES, GIVEN = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗",
    "小大阿子雨欣怡晨曦梓涵若思语嘉诗琪美丽芳静敏",
)
SYLLABLES = "的一是在有人这中大为上个国我以要他时来用们生到作地于出"
Labels = tuple[NDArray[np.int32], list[str]]


@dataclass(frozen=True, slots=True)
class People:
    """Numbers by column, NaN for unknown; labels by column as rows and labels; names and bios."""

    ids: list[str]
    numbers: dict[str, NDArray[np.float64]]
    labels: dict[str, Labels]
    names: list[str]
    bios: list[str]


def people(count: int, seed: int = 16) -> People:
    """`count` creators, the same for the same seed."""
    chance = np.random.default_rng(seed)
    category = _zipf(chance, count, len(CATEGORIES), 0.7)
    numbers = _numbers(chance, count, category)
    ids = [bytes(one).hex() for one in chance.integers(0, 256, (count, 16), np.uint8)]
    written = [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in ids]
    names = _names(chance, count)
    return People(written, numbers, _labels(chance, count, category, numbers), names, _bios(chance, count, category))


def _zipf(chance: np.random.Generator, count: int, kinds: int, power: float) -> NDArray[np.int64]:
    weights = 1 / np.arange(1, kinds + 1) ** power
    return chance.choice(kinds, count, p=weights / weights.sum())


def _numbers(chance: np.random.Generator, count: int, category: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    followers = np.floor(np.clip(np.exp(chance.normal(9.3, 1.9, count)), 50, 8e7))
    rate = np.clip(0.35 * followers**-0.17 * np.exp(chance.normal(0, 0.5, count)), 0.001, 0.6)
    exposures = np.floor(followers * np.clip(np.exp(chance.normal(-0.6, 0.7, count)), 0.02, 30)) + 10
    reads = np.floor(exposures * chance.beta(3, 9, count)) + 1
    worth = 0.6 + (category % 9) / 6
    price = np.floor(0.9 * followers**0.82 * worth * np.exp(chance.normal(0, 0.35, count))) * 100 + 5000
    women = np.clip(0.25 + 0.6 * ((category * 7) % 10) / 10 + chance.normal(0, 0.12, count), 0.01, 0.99)
    quality = np.clip(np.round(86 - 20 * chance.exponential(0.7, count) - 4 * (rate > 0.2)), 3, 100)
    made = {
        "followers": followers, "engagement": np.round(rate * 10_000), "exposures": exposures, "reads": reads,
        "price": price, "growth": np.round(chance.normal(200, 900, count)), "women": np.round(women * 10_000),
        "young": np.round(chance.beta(5, 4, count) * 10_000), "authenticity": quality,
        "on_time": np.round(chance.beta(14, 2, count) * 10_000), "jobs": np.floor(chance.exponential(1.2, count)),
        "registered": np.floor(1.6e9 + 1.5e8 * chance.random(count)),
    }  # fmt: skip
    known = {"price": 0.82, "women": 0.7, "young": 0.7, "on_time": 0.45, "growth": 0.9}
    for name, share in known.items():
        made[name] = np.where(chance.random(count) < share, made[name], np.nan)
    later = chance.random(count) < 0.02
    made["price_next"] = np.where(later, np.floor(made["price"] * 1.2), np.nan)
    made["price_since"] = np.where(later, 1.79e9 + 1e7 * chance.random(count), np.nan)
    return made


def _labels(
    chance: np.random.Generator, count: int, category: NDArray[np.int64], numbers: dict[str, NDArray[np.float64]]
) -> dict[str, Labels]:
    rows = np.arange(count, dtype=np.int32)
    first, second = [CATEGORIES[one] for one in category], _zipf(chance, count, 8, 0.8)
    province, city = _zipf(chance, count, PROVINCES, 1.0), _zipf(chance, count, CITIES, 1.0)
    provinces = [f"CN/p{one}" for one in province]
    tiers = {float(one): tier_of(int(one)).value for one in np.unique(numbers["followers"])}
    state = np.select([numbers["authenticity"] < 40, numbers["authenticity"] < 60], ["fraud", "watch"], "credible")
    return {
        "category": _both(rows, first, [f"{one}/{n}" for one, n in zip(first, second, strict=True)]),
        "location": _both(rows, provinces, [f"{one}/c{n}" for one, n in zip(provinces, city, strict=True)]),
        "tag": _tags(chance, count, category),
        "platform": _several(chance, count, PLATFORMS, 1.1),
        "language": _several(chance, count, LANGUAGES, 2.2),
        "tier": (rows, [tiers[float(one)] for one in numbers["followers"]]),
        "availability": (rows, np.where(chance.random(count) < 0.8, "open", "closed").tolist()),
        "state": (rows, state.tolist()),
    }


def _both(rows: NDArray[np.int32], wide: list[str], narrow: list[str]) -> Labels:
    return np.concatenate((rows, rows)), [*wide, *narrow]


def _several(chance: np.random.Generator, count: int, kinds: tuple[str, ...], power: float) -> Labels:
    """One or two of the kinds each."""
    one, other = _zipf(chance, count, len(kinds), power), _zipf(chance, count, len(kinds), power)
    rows, more = np.arange(count, dtype=np.int32), np.flatnonzero((chance.random(count) < 0.4) & (one != other))
    held = np.concatenate((one, other[more]))
    return np.concatenate((rows, more.astype(np.int32))), [kinds[place] for place in held]


def _tags(chance: np.random.Generator, count: int, category: NDArray[np.int64]) -> Labels:
    """Three tags a creator, most of them from those of the category."""
    drawn = _zipf(chance, count * TAGS_OF_ONE, TAGS, 1.05).reshape(count, TAGS_OF_ONE)
    drawn = np.sort((drawn + category[:, None] * 37) % TAGS, axis=1)
    first = np.concatenate((np.ones((count, 1), bool), drawn[:, 1:] != drawn[:, :-1]), axis=1)
    rows, places = np.nonzero(first)
    return rows.astype(np.int32), [f"t{one}" for one in drawn[rows, places]]


def _names(chance: np.random.Generator, count: int) -> list[str]:
    first, second, third = (chance.integers(0, len(pool), count) for pool in (SURNAMES, GIVEN, GIVEN))
    return [SURNAMES[a] + GIVEN[b] + GIVEN[c] for a, b, c in zip(first, second, third, strict=True)]


def _bios(chance: np.random.Generator, count: int, category: NDArray[np.int64]) -> list[str]:
    """Five phrases of two to five characters each, of which a category has favourites; and the category's name."""
    lengths = chance.integers(2, 6, PHRASES)
    phrases = ["".join(chance.choice(list(SYLLABLES), length)) for length in lengths]
    drawn = (_zipf(chance, count * PHRASES_OF_ONE, PHRASES, 1.0).reshape(count, -1) + category[:, None] * 13) % PHRASES
    names = [f"{CATEGORIES[one].casefold()}" for one in category]
    return [f"{name},{','.join(phrases[one] for one in row)}" for name, row in zip(names, drawn.tolist(), strict=True)]
