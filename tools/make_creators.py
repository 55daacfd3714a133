"""Writes cli/data/creators.csv: 640 generated creators for demos and tests. No row describes a real person.

Run: python tools/make_creators.py [path]. The same code gives the same bytes: one seeded generator, of which only
`random()` is used (its sequence is promised over Python versions), and whole numbers at the end.

Shapes: followers are log-normal inside each tier; a price grows with followers to the power of 0.75 and with its
category; engagement falls with size; women are the larger part of most audiences, by category; ages follow category.
"""

import csv
import io
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from services.discovery.domain.categories import FIRST_LEVEL  # noqa: E402
from services.discovery.domain.csv_columns import COLUMNS  # noqa: E402

T = TypeVar("T")
TARGET = ROOT / "cli" / "data" / "creators.csv"
SEED, COUNT = 20250630, 640
OBSERVED_ON = "2025-06-30"

TIERS = (("head", 6, 500_000, 6_000_000), ("mid", 24, 50_000, 500_000), ("koc", 36, 10_000, 50_000),
         ("nano", 30, 1_000, 10_000), ("unranked", 4, 200, 1_000))  # fmt: skip
"""Name, weight in per cent, smallest and largest followers."""
PLATFORMS = (("xiaohongshu", 44), ("douyin", 22), ("bilibili", 8), ("weibo", 7), ("tiktok", 7), ("instagram", 8),
             ("youtube", 4))  # fmt: skip
CHINESE = ("xiaohongshu", "douyin", "bilibili", "weibo")
CATEGORIES = (("美妆", 14), ("护肤", 9), ("时尚", 12), ("美食", 10), ("母婴", 7), ("家居家装", 5), ("出行", 6), ("运动健身", 6),
              ("科技数码", 5), ("宠物", 4), ("生活记录", 6), ("教育", 3), ("摄影", 2), ("游戏", 2), ("健康养生", 3), ("汽车", 2),
              ("个人护理", 2), ("商业财经", 1), ("音乐", 1))  # fmt: skip
SECOND = {"美妆": ("口红", "底妆", "眼妆"), "护肤": ("防晒", "精华", "敏感肌"), "时尚": ("穿搭", "配饰", "小众品牌"),
          "美食": ("烘焙", "探店", "家常菜"), "母婴": ("辅食", "早教", "孕期"), "家居家装": ("收纳", "软装"),
          "出行": ("民宿", "自驾", "城市漫步"), "运动健身": ("瑜伽", "跑步", "减脂"), "科技数码": ("手机", "相机", "智能家居"),
          "宠物": ("猫", "狗")}  # fmt: skip
PRICE_FACTOR = {"美妆": 125, "护肤": 125, "时尚": 120, "母婴": 115, "科技数码": 130, "汽车": 140, "商业财经": 140, "生活记录": 85,
                "宠物": 90, "音乐": 85}  # fmt: skip
"""Per cent of the usual price."""
FEMALE = {
    "美妆": 88,
    "护肤": 86,
    "时尚": 78,
    "母婴": 84,
    "科技数码": 26,
    "游戏": 30,
    "汽车": 24,
    "运动健身": 55,
    "商业财经": 38,
}
SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧")
_PAIRS = "明哲一诺梓涵思琪雨桐若溪佳怡诗涵晓雯美玲静怡嘉欣子轩浩然宇航俊杰可馨欣妍安琪书瑶文博天佑小满清越知夏念安星河南风阿梨乐乐"  # noqa: E501
GIVEN = tuple(_PAIRS[start : start + 2] for start in range(0, len(_PAIRS), 2))
NICKNAMES = ("爱{}", "{}日记", "{}研究所", "是{}呀", "{}同学", "{}的小宇宙", "{}不加班", "一颗{}")
FIRST = ("Olivia", "Emma", "Ava", "Sophia", "Mia", "Chloe", "Grace", "Ruby", "Nora", "Iris", "Liam", "Noah", "Ethan",
         "Lucas", "Oscar", "Leo", "Maya", "Zoe", "Hannah", "Aisha", "Priya", "Camille", "Ines", "Freya")  # fmt: skip
LAST = ("Carter", "Bennett", "Hughes", "Foster", "Morgan", "Patel", "Nguyen", "Silva", "Dubois", "Martin", "Kowalski",
        "Jensen", "Rossi", "Okafor", "Brooks", "Reid", "Lindqvist", "Moreau", "Haddad", "Fraser")  # fmt: skip
CITIES = (("上海", "上海", 18), ("广东", "广州", 11), ("广东", "深圳", 10), ("浙江", "杭州", 13), ("北京", "北京", 15),
          ("四川", "成都", 10), ("湖北", "武汉", 5), ("湖南", "长沙", 5), ("江苏", "南京", 5), ("重庆", "重庆", 4),
          ("陕西", "西安", 4))  # fmt: skip
ABROAD = (("US", "California", "Los Angeles", "USD", 26), ("US", "New York", "New York", "USD", 22),
          ("GB", "England", "London", "GBP", 20), ("FR", "Île-de-France", "Paris", "EUR", 12),
          ("SG", "Singapore", "Singapore", "SGD", 12), ("DE", "Berlin", "Berlin", "EUR", 8))  # fmt: skip
LANGUAGE = {"US": "en", "GB": "en", "FR": "fr;en", "SG": "en;zh", "DE": "de;en"}
PER_CNY = {"CNY": 100, "USD": 14, "GBP": 11, "EUR": 13, "SGD": 18}
"""Hundredths of a unit per yuan, a round figure that only shapes the demo's prices."""
TAGS = (
    "平价",
    "成分党",
    "学生党",
    "上班族",
    "宝妈",
    "测评",
    "教程",
    "开箱",
    "vlog",
    "极简",
    "国货",
    "小众",
    "干货",
    "治愈",
)


class Dice:
    """Everything random comes from `random()` of one seeded generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, limit: int) -> int:
        return int(self._random() * limit)

    def chance(self, per_cent: int) -> bool:
        return self.below(100) < per_cent

    def one(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def bell(self) -> float:
        """About a standard normal: the sum of twelve uniforms less six."""
        return sum(self._random() for _ in range(12)) - 6.0

    def spread(self, value: float, width: float) -> int:
        """`value` times a log-normal factor with the given width."""
        return max(1, round(value * math.exp(width * self.bell())))

    def weighted(self, values: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        """One of the tuples; their last entry is the weight, in any unit."""
        left = self._random() * sum(value[-1] for value in values)
        for value in values:
            left -= value[-1]
            if left < 0:
                return value
        return values[-1]


@dataclass(frozen=True)
class Home:
    """Where a creator lives, and what follows from it."""

    country: str
    province: str
    city: str
    currency: str
    languages: str


def homes(dice: Dice, platform: str) -> Home:
    if platform in CHINESE and not dice.chance(4):
        province, city, _ = dice.weighted(CITIES)
        languages = dice.weighted((("zh", 82), ("zh;en", 14), ("zh;yue", 4)))[0]
        return Home("CN", province, city, "CNY", languages)
    country, province, city, currency, _ = dice.weighted(ABROAD)
    return Home(country, province, city, currency, LANGUAGE[country])


def followers_in(dice: Dice, low: int, high: int) -> int:
    """Log-normal round the lower third of the tier's range, kept inside it."""
    middle = low * (high / low) ** 0.36
    return min(high - 1, max(low, dice.spread(middle, 0.25 * math.log(high / low))))


def name_of(dice: Dice, home: Home) -> str:
    if home.country != "CN":
        return f"{dice.one(FIRST)} {dice.one(LAST)}"
    given = dice.one(GIVEN)
    return dice.one(NICKNAMES).format(given) if dice.chance(45) else dice.one(SURNAMES) + given


def bio_of(dice: Dice, home: Home, category: str, followers: int) -> str:
    if home.country != "CN":
        words = FIRST_LEVEL[category]
        return dice.one((f"{words.capitalize()} from {home.city}", f"I test {words} so you don't have to",
                         f"{words} stories, honest reviews, {home.city} based", f"Daily {words} notes"))  # fmt: skip
    second = dice.one(SECOND.get(category, (category,)))
    counted = f"{second}测评，已陪伴{followers // 1000 + 1}千人"
    place = f"坐标{home.city}，专注{category}与{second}"
    return dice.one((f"{home.city}｜{category}｜只说真话", f"分享{second}的日常", counted, place))


def prices(dice: Dice, home: Home, category: str, followers: int) -> dict[str, str]:
    """An image note costs about 0.6 yuan x followers^0.75; video 1.7 times, an hour of live 2.6 times, a story a third."""
    factor = PRICE_FACTOR.get(category, 100) / 100 * PER_CNY[home.currency] / 100
    base = dice.spread(60 * followers**0.75 * factor, 0.28)
    offered = {"image_note": (1.0, 92), "video": (1.7, 78), "live_hour": (2.6, 30), "story": (0.33, 24)}
    quoted = {
        kind: _rounded(dice.spread(base * ratio, 0.08)) for kind, (ratio, odds) in offered.items() if dice.chance(odds)
    }
    if not quoted:
        quoted["image_note"] = _rounded(base)
    fields = {f"{kind}_minor": str(price) for kind, price in quoted.items()}
    if dice.chance(55):
        fields["commission"] = f"0.{dice.one((10, 12, 15, 18, 20, 25))}"
    if dice.chance(6):
        fields["closed_formats"] = dice.one(tuple(quoted))
    return fields | {"currency": home.currency}


def _rounded(minor: int) -> int:
    """People quote round prices: two leading digits, and whole tens of the currency."""
    unit = max(1_000, 10 ** (len(str(minor)) - 2))
    return int(max(1_000, minor // unit * unit))


def medians(dice: Dice, followers: int, kind: str) -> dict[str, str]:
    """Exposures per follower and engagements per read fall with size; video is watched more and engaged with less."""
    video = kind == "video"
    exposures = dice.spread((3.4 if video else 2.6) * followers**0.93, 0.35)
    reads = min(exposures, dice.spread(exposures * (0.34 if video else 0.22), 0.18))
    rate = (0.085 if video else 0.11) * (followers / 1_000) ** -0.11
    engagements = min(reads, dice.spread(reads * rate, 0.3))
    return {f"{kind}_exposures": str(exposures), f"{kind}_reads": str(reads), f"{kind}_engagements": str(engagements)}


def audience(dice: Dice, home: Home, category: str, followers: int) -> dict[str, str]:
    female = min(96, max(6, FEMALE.get(category, 62) + round(5 * dice.bell())))
    older = 8 if category in ("母婴", "家居家装", "汽车", "商业财经") else 0
    weights = [
        4 + dice.below(6),
        38 - older + dice.below(10),
        30 + older + dice.below(8),
        12 + older // 2,
        6 + older // 4,
    ]
    places = [home.province if home.country == "CN" else home.country]
    while len(places) < 4:
        place = dice.weighted(CITIES if home.country == "CN" else ABROAD)[0]
        if place not in places:
            places.append(place)
    interests = [category]
    while len(interests) < 3:
        other = dice.weighted(CATEGORIES)[0]
        if other not in interests:
            interests.append(other)
    return {
        "audience_sample": str(max(200, followers // (20 + dice.below(20)))),
        "audience_gender": _shares(("female", "male"), [female, 100 - female], 10_000),
        "audience_ages": _shares(("<18", "18-24", "25-34", "35-44", "45+"), weights, 10_000),
        "audience_locations": _shares(places, [22 + dice.below(10), 14, 10, 6 + dice.below(4)], 5_600),
        "audience_interests": _shares(interests, [50 + dice.below(15), 22, 12 + dice.below(6)], 8_800),
        "audience_active": f"0.{3_000 + dice.below(3_500)}",
    }


def _shares(names: Sequence[str], weights: Sequence[int], whole: int) -> str:
    bps = [weight * whole // sum(weights) for weight in weights]
    return ";".join(f"{name}=0.{share:04d}" for name, share in zip(names, bps, strict=True))


def person(dice: Dice, home: Home) -> dict[str, str]:
    year = 2000 + round(4.5 * dice.bell()) - 3
    fields = {"birth_year": str(min(2005, max(1965, year))), "gender": "female" if dice.chance(68) else "male"}
    if dice.chance(2):
        return {"virtual_operator": f"{home.city} Virtual Studio {dice.below(90) + 10}", "gender": "other"}
    return fields if dice.chance(85) else {"gender": fields["gender"]}


def creator(dice: Dice, number: int) -> dict[str, str]:
    """One row: texts by column; what is missing is empty."""
    _, _, low, high = dice.weighted([(tier, "", lo, hi, weight) for tier, weight, lo, hi in TIERS])[:4]
    platform = dice.weighted(PLATFORMS)[0]
    home = homes(dice, platform)
    category = dice.weighted(CATEGORIES)[0]
    followers = followers_in(dice, low, high)
    second = f"{category}/{dice.one(SECOND[category])}" if category in SECOND and dice.chance(60) else category
    more = dice.weighted(CATEGORIES)[0]
    fields = {
        "platform": platform,
        "handle": f"demo_{number:04d}_{dice.one(FIRST).lower()}",
        "display_name": name_of(dice, home),
        "bio": bio_of(dice, home, category, followers),
        "contact": f"demo{number:04d}@example.com",
        "categories": second if more == category or dice.chance(55) else f"{second};{more}",
        "tags": ";".join(sorted({dice.one(TAGS) for _ in range(dice.below(4))})),
        "languages": home.languages, "country": home.country, "province": home.province, "city": home.city,
        "examples": f"https://{platform}.example/demo_{number:04d}/1" if dice.chance(40) else "",
        "availability": "open" if dice.chance(88) else "closed", "max_parallel_jobs": str(1 + dice.below(6)),
        "observed_on": OBSERVED_ON, "provenance": "manual", "followers": str(followers),
    }  # fmt: skip
    fields |= person(dice, home) | prices(dice, home, category, followers)
    for kind in ("image_note", "video"):
        if f"{kind}_minor" in fields:
            fields |= medians(dice, followers, kind)
    return fields | audience(dice, home, category, followers)


def rows() -> Iterator[dict[str, str]]:
    dice = Dice(SEED)
    for number in range(1, COUNT + 1):
        yield creator(dice, number)


def text() -> str:
    """The whole file, RFC 4180 with CRLF."""
    out = io.StringIO()
    names = [name for name in COLUMNS if name not in {"agency_id", "account_id"}]
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows())
    return out.getvalue()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text().encode())
    print(f"{target}: {COUNT} generated creators")
