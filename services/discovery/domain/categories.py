"""The two-level content categories. First levels are fixed (with English words to find them by), second are free."""

from kernel.core.faults import Invalid

FIRST_LEVEL: dict[str, str] = {
    "美妆": "makeup beauty",
    "护肤": "skincare",
    "个人护理": "personal care",
    "母婴": "parenting baby",
    "时尚": "fashion",
    "美食": "food",
    "家居家装": "home decor",
    "影视综资讯": "film tv entertainment",
    "运动健身": "sports fitness",
    "宠物": "pets",
    "文化艺术": "culture art",
    "兴趣爱好": "hobbies",
    "生活记录": "lifestyle vlog",
    "教育": "education",
    "情感": "relationships",
    "摄影": "photography",
    "游戏": "gaming",
    "科技数码": "tech digital",
    "出行": "travel",
    "音乐": "music",
    "搞笑": "comedy",
    "健康养生": "health wellness",
    "汽车": "cars",
    "婚嫁": "wedding",
    "商业财经": "business finance",
    "素材": "resources",
    "其他": "other",
}
SECOND_LEVEL_CHARS = 24


def checked_category(category: str) -> str:
    """`first` or `first/second`, e.g. `美妆/口红`; raises Invalid `category.unknown` or `category.malformed`."""
    first, slash, second = category.partition("/")
    if first not in FIRST_LEVEL:
        raise Invalid(
            "category.unknown",
            category=category[:40],
            known=" ".join(FIRST_LEVEL),
            do="use one that GET /categories lists",
        )
    if slash and (not second.strip() or second != second.strip() or "/" in second or len(second) > SECOND_LEVEL_CHARS):
        raise Invalid("category.malformed", category=category[:40], expected="first or first/second")
    return category


def first_level(category: str) -> str:
    """`美妆` of `美妆/口红`."""
    return category.partition("/")[0]
