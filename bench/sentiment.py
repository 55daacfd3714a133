"""Comments of both languages, scored in one process: texts/s, and how many of them the sentence encoder was asked for."""

import random
import time

from bench.measure import Row, say
from bench.place import Place
from services.metrics.sentiment.models import models
from services.metrics.sentiment.scores import scored

TEXTS, BATCH, ROUNDS = 10_000, 500, 3
ZH = (
    "质量很好", "物流很快", "颜色和图片不一样", "客服态度差", "用了两周皮肤变细腻了", "有点贵", "包装破了",
    "味道清淡", "下次还会买", "退货太麻烦", "性价比高", "没有想象中好", "适合送人", "电池不耐用",
    "房间干净", "早餐一般", "屏幕清晰", "声音太小", "朋友推荐的", "再也不买了",
)  # fmt: skip
EN = (
    "love the colour", "arrived late", "battery died after a week", "great value", "not what I expected", "the staff was kind",
    "would buy again", "too expensive", "it broke", "works as described", "smells nice", "waste of money", "my sister has one",
    "ordered on Monday", "perfect gift", "bad packaging",
)  # fmt: skip


async def bench(place: Place) -> list[Row]:
    """One row: comments of two to six phrases, half of them Chinese."""
    draw = random.Random(7)
    texts = [_comment(draw, at % 2 == 0) for at in range(TEXTS)]
    models()
    scored(texts[:BATCH])
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for start in range(0, TEXTS, BATCH):
            scored(texts[start : start + BATCH])
        rates.append(TEXTS / (time.perf_counter() - began))
        say(f"  {rates[-1]:,.0f} texts/s")
    rate = sorted(rates)[ROUNDS // 2]
    return [
        Row(
            "comments scored", f"{rate:,.0f} texts/s", "-", rate / 1_000, 2, 4, "k/s", note="half Chinese, half English"
        )
    ]


def _comment(draw: random.Random, is_chinese: bool) -> str:
    parts = draw.sample(ZH if is_chinese else EN, draw.randint(2, 6))
    return "，".join(parts) if is_chinese else ", ".join(parts) + "."
