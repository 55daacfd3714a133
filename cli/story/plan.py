"""Who is in the story and what they want: data, the same in every run. Money in minor units, clocks in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.story.market import Who, named

POSTING = {"posting_from": "2025-01-01T00:00:00Z", "posting_until": "2035-01-01T00:00:00Z"}
QUICK = {"settlement_delay_s": 1, "live_check_after_s": 1}
"""What takes days on a real platform; everything else keeps its default."""
BRANDS = {
    "bella": Who("bella", named("brand", "bella"), "brand"),
    "acme": Who("adam", named("brand", "acme"), "brand"),
    "haoyu": Who("hao", named("brand", "haoyu"), "brand"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens. `observations` of engagement in bodies of `batch_rows`; `clicks` per link."""

    observations: int = 1_000_000
    batch_rows: int = 40_000
    links: int = 16
    clicks: int = 8
    coupons: int = 14
    orders: int = 240


FULL = Size()
SMALL = Size(observations=20_000, batch_rows=5_000, links=4, clicks=3, coupons=3, orders=24)


@dataclass(frozen=True, slots=True)
class Deal:
    """A campaign, how its creators are found, and what each deliverable pays (0 for gifts)."""

    name: str
    brand: Who
    brief: Mapping[str, Any]
    search: Mapping[str, Any]
    collaborations: int
    fees_minor: tuple[int, ...]
    texts: tuple[str, ...]
    step_minor: int = 0
    """Each next creator is paid so much more."""
    clocks: Mapping[str, int] = field(default_factory=lambda: QUICK)
    story: tuple[str, ...] = ()
    """Set where the deal is told more than once, so that each has ids of its own."""

    @property
    def id(self) -> str:
        return named("campaign", *self.story, self.name)

    @property
    def currency(self) -> str:
        return str(self.brief["currency"])

    def fees(self, number: int) -> list[int]:
        """What the creator of that number (from 0) asks per deliverable."""
        return [fee + self.step_minor * number if fee else 0 for fee in self.fees_minor]


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money a brand brings; `instrument` beginning with `tok_declined` fails."""

    brand: Who
    currency: str
    amount_minor: int
    instrument: str = "tok_visa"
    story: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return named("deposit", *self.story, self.brand.name, self.currency, self.instrument)


def _brief(title: str, kind: str, mode: str, budget_minor: int, currency: str, **more: Any) -> dict[str, Any]:
    made = {
        "title": title,
        "campaign_type": kind,
        "mode": mode,
        "objective": "engagement",
        "product_category": "cosmetics",
        "jurisdiction": "CN",
        "budget_minor": budget_minor,
        "currency": currency,
        "compensation": {"kind": "fixed"},
        **POSTING,
    }
    return {**made, **more}


SERUM = {"product_id": "serum-30", "name": "春日精华", "category": "cosmetics", "value_minor": 29_900}
BAG = {"product_id": "bag-7", "name": "Canvas tote", "category": "fashion", "value_minor": 4_900, "shipped": False}
LAMP = {"product_id": "lamp-2", "name": "阅读灯", "category": "home", "value_minor": 19_900, "shipped": False}

SEEDING = Deal(
    "serum seeding",
    BRANDS["bella"],
    _brief(
        "春日精华体验",
        "seeding",
        "open",
        100_000,
        "CNY",
        compensation={"kind": "gift"},
        products=[SERUM],
        deliverables=[{"platform": "xiaohongshu", "format": "image_note"}],
    ),
    {"platforms": ["xiaohongshu"], "tiers": ["nano", "koc"], "order_by": "followers"},
    20,
    (0,),
    ("这支精华我用了两周，质地清爽，早晚各两滴，上妆前不搓泥。", "换季用这支精华，味道很淡，推开后有一点点凉。"),
)
BRANDED = Deal(
    "tote story",
    BRANDS["acme"],
    _brief(
        "A week with one tote",
        "branded_content",
        "invite",
        4_000_000,
        "USD",
        jurisdiction="US",
        product_category="fashion",
        products=[BAG],
        deliverables=[{"platform": "instagram", "format": "image_note"}],
    ),
    {"platforms": ["instagram", "tiktok", "youtube"], "order_by": "followers desc"},
    16,
    (45_000,),
    ("Seven days, one tote: laptop, lunch and a wet umbrella all went in.", "I carried this tote to work for a week."),
    step_minor=1_375,
)
LIVE = Deal(
    "lamp live",
    BRANDS["haoyu"],
    _brief(
        "阅读灯直播周",
        "live_stream",
        "open",
        30_000_000,
        "CNY",
        objective="sales",
        product_category="home",
        products=[LAMP],
        deliverables=[
            {"platform": "douyin", "format": "video"},
            {"platform": "douyin", "format": "live_hour"},
        ],
    ),
    {"platforms": ["douyin"], "tiers": ["mid", "koc"], "order_by": "followers desc"},
    12,
    (260_000, 420_000),
    ("书桌换了这盏灯，晚上看书光线柔和，三档亮度够用。", "今晚直播聊聊书房怎么布光，也看看这盏阅读灯。"),
    step_minor=9_137,
)
AMBASSADOR = Deal(
    "serum friends",
    BRANDS["bella"],
    _brief(
        "春日精华年度伙伴",
        "ambassador",
        "invite",
        20_000_000,
        "CNY",
        products=[{**SERUM, "shipped": False}],
        deliverables=[{"platform": "weibo", "format": "image_note", "occurrences": 2, "every_s": 1}],
    ),
    {"platforms": ["weibo"], "order_by": "followers desc"},
    4,
    (210_000, 210_000),
    ("一年的护肤记录，这支精华放在第二步。", "第二次聊这支精华，说说空瓶感受。"),
    step_minor=15_001,
)
LATE = Deal(
    "nobody answers",
    BRANDS["acme"],
    _brief(
        "One more tote",
        "branded_content",
        "invite",
        500_000,
        "USD",
        jurisdiction="US",
        product_category="fashion",
        products=[BAG],
        deliverables=[{"platform": "instagram", "format": "image_note"}],
    ),
    {"platforms": ["instagram"], "order_by": "followers"},
    0,
    (50_000,),
    (),
    clocks={**QUICK, "invitation_expiry_s": 1},
)
DEALS = (SEEDING, BRANDED, LIVE, AMBASSADOR)
DEPOSITS = (
    Deposit(BRANDS["bella"], "CNY", 3_000_000),
    Deposit(BRANDS["acme"], "USD", 2_000_000),
    Deposit(BRANDS["haoyu"], "CNY", 20_000_000),
    Deposit(BRANDS["acme"], "USD", 700_000, "tok_declined_card"),
)
OWN_MONEY = {"CNY": 1_000_000, "USD": 200_000}
"""What the platform pays in to bear the provider's costs."""
REFUSED_TEXT = {
    "CN": "这支精华可以治疗湿疹，用三天就能祛斑。",
    "US": "Guaranteed returns if you buy this tote, risk-free.",
}
DOUBTFUL_TEXT = "说说最好用的一盏灯：光线柔和。"
"""Blocked by no rule, but a person has to look."""
