"""Texts that cost: repeated pieces, letters of every script, and what drives patterns back and forth; judged or refused."""

from collections.abc import Callable

from hypothesis import strategies as st

from attack.tally import Tally
from attack.target import Target
from attack.trying import trying

PIECES = [
    "ad ", "#ad", "x.com/", "广告", "not an ", "a.", "【",
    "最", "第一", "best ", "no. 1 ", "ａ", "\u200b", "é", "🌟", "(((", "\n", "1",
]  # fmt: skip
JURISDICTIONS = ("CN", "US", "UK", "EU", "FR")


def texts() -> st.SearchStrategy[str]:
    """Up to 20,000 characters."""
    repeated = st.tuples(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), st.integers(1, 20_000))
    return st.one_of(repeated.map(lambda two: (two[0] * two[1])[:20_000]), st.text(max_size=2_000))


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    say("/checks")

    def one(tried: tuple[str, str, list[str]]) -> None:
        text, jurisdiction, tags = tried
        body = {
            "jurisdiction": jurisdiction,
            "platform": "xiaohongshu",
            "format": "image_note",
            "text": text,
            "tags": tags,
        }
        answer = target.send("compliance", "POST", "/checks", target.token("brand"), json=body)
        tally.check(answer.status_code < 500, f"POST /checks: {answer.status_code} for {text[:40]!r} * {len(text)}")

    trying(
        st.tuples(texts(), st.sampled_from(JURISDICTIONS), st.lists(st.text(max_size=50), max_size=50)), one, 30 * scale
    )
