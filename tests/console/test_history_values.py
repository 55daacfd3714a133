"""Values of a history as people read them: words for enums, amounts with the currency around them, percents, days."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.look.formats import Formats
from console.page import SignedIn
from console.pages.history.names import field_name
from console.pages.history.values import told
from console.words import translations

VALUES = {
    "status": "COLLABORATION_STATUS_FUNDED",
    "currency": "CNY",
    "brief.currency": "USD",
    "brief.deliverables.1.fee_minor": "260000",
    "total_minor": "748000",
    "share_bps": "7400",
    "platforms": "PLATFORM_DOUYIN, PLATFORM_TIKTOK",
    "title": "Open",
    "count": "20",
    "terms.draft_s": "1209600",
}


def reader(lang: str) -> SignedIn:
    words: Any = translations(lang).gettext
    return cast("SignedIn", SimpleNamespace(words=words, formats=Formats(lang, "Asia/Shanghai", datetime.now(UTC))))


@pytest.mark.parametrize(
    ("path", "english", "chinese"),
    [
        ("status", "Funded", "已托管"),
        ("total_minor", "CN¥7,480.00", "¥7,480.00"),
        ("brief.deliverables.1.fee_minor", "US$2,600.00", "US$2,600.00"),
        ("share_bps", "74%", "74%"),
        ("platforms", "Douyin, TikTok", "抖音, TikTok"),
        ("title", "Open", "Open"),
        ("count", "20", "20"),
        ("terms.draft_s", "14 days", "14天"),
    ],
)
def test_a_value_is_told_as_people_read_it(path: str, english: str, chinese: str) -> None:
    assert [told(reader(lang), path, VALUES) for lang in ("en", "zh-CN")] == [english, chinese]


def test_an_amount_of_the_tax_year_is_in_the_currency_of_the_year() -> None:
    values = {"currency": "USD", "year_currency": "CNY", "tax_minor": "1000", "year_tax_minor": "7000"}
    assert [told(reader("en"), path, values) for path in ("tax_minor", "year_tax_minor")] == ["US$10.00", "CN¥70.00"]


def test_an_amount_without_a_currency_stays_as_the_contract_has_it() -> None:
    assert told(reader("en"), "fee_minor", {"fee_minor": "260000"}) == "260000"


def test_a_list_is_not_named_like_the_count_of_the_same_name() -> None:
    words = reader("en").words
    assert field_name(words, "audience.1.shares.2.share_bps") == "Audience › 1 › Parts › 2 › Part of the whole"
    assert field_name(words, "metrics.shares") == "Metrics › Shares"
