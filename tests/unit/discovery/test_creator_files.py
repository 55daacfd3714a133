"""Creators files as people really make them: spreadsheets' commas, charsets, scripts, roundings; and what is said of them."""

import re
from pathlib import Path

import pytest

from kernel.core.faults import Invalid
from services.discovery.domain import creator_csv
from services.discovery.domain.commands import ReportAudience
from services.discovery.domain.creator_csv import PROBLEMS_LIMIT, parse
from services.discovery.domain.csv.reasons import REASONS
from tests.unit.discovery.test_creator_csv import HEADER, problems, read, row


@pytest.mark.parametrize(
    ("lines", "handles"),
    [
        pytest.param([f"{HEADER},,,", f"{row('one')},,,", ",,,,,,,,", f"{row('two')},,,"], ["one", "two"], id="commas"),
        pytest.param([HEADER, row("one"), ",,,,,", " , , ,,,", row("two")], ["one", "two"], id="blank_rows"),
        pytest.param([f"{HEADER},,", row("one"), f"{row('two')},"], ["one", "two"], id="fewer_commas_in_rows"),
    ],
)
def test_what_spreadsheets_write_round_a_table_is_nothing(lines: list[str], handles: list[str]) -> None:
    parsed = parse("\r\n".join(lines).encode())
    assert ([found.account.handle for found in parsed.rows], parsed.problems) == (handles, ())
    assert parsed.read_rows == 2


@pytest.mark.parametrize("blank", range(4))
def test_commas_that_a_spreadsheet_left_out_are_filled_in(blank: int) -> None:
    """Excel ends a row with its last cell that says something."""
    header = f"{HEADER},bio,country,city"
    full = f"{row('one')},hello,CN,Chengdu"
    short = full.rsplit(",", blank)[0]
    (found,) = read(short, header=header).rows
    assert found == read(f"{short}{',' * blank}", header=header).rows[0]
    assert (found.bio, found.profile.country, found.profile.city) == (
        "hello" if blank < 3 else "", "CN" if blank < 2 else "", "Chengdu" if blank < 1 else "",
    )  # fmt: skip


def test_a_short_row_lacks_what_it_lacks() -> None:
    assert problems(read("weibo,one,Lin")) == [
        (2, name, "csv.value_missing") for name in ("categories", "observed_on", "followers")
    ]


def test_blank_rows_push_no_problem_out_of_the_list() -> None:
    parsed = parse("\n".join([HEADER, *[",,,,,"] * (PROBLEMS_LIMIT + 1), row("one", followers="many")]).encode())
    assert problems(parsed) == [(PROBLEMS_LIMIT + 3, "followers", "number.malformed")]


def test_a_value_past_the_header_is_a_problem() -> None:
    assert problems(read(f"{row('one')},x")) == [(2, "", "csv.field_count")]


@pytest.mark.parametrize(("flag", "means"), [("TRUE", True), ("False", False), ("true", True)])
def test_a_flag_may_be_written_as_spreadsheets_do(flag: str, means: bool) -> None:
    parsed = read(row("one", guardian_consent=flag), header=f"{HEADER},guardian_consent")
    assert [found.profile.guardian_consent for found in parsed.rows] == [means]


GERMAN = f"{HEADER}\n{row('one', categories='a', display_name='Müller')}\n"
CHINESE = f"{HEADER}\n{row('one', categories='其他')}\n{row('two', categories='其他')}\n"


@pytest.mark.parametrize("charset", ["gbk", "GB18030", '"gb2312"', "x-gbk", "big5", "utf-16", "utf-16le", "UTF-16BE"])
def test_a_charset_that_is_named_is_read(charset: str) -> None:
    codec = charset.strip('"').removeprefix("x-")
    parsed = parse(CHINESE.encode(codec), charset)
    assert [found.display_name for found in parsed.rows] == ["林梅", "林梅"]


@pytest.mark.parametrize(
    ("data", "charset", "code"),
    [
        pytest.param(CHINESE.encode("gb18030"), "", "csv.not_utf8", id="gb18030"),
        pytest.param(CHINESE.encode("gb18030"), "utf-8", "csv.not_utf8", id="gb18030_as_utf8"),
        pytest.param(GERMAN.encode("latin-1"), "", "csv.not_utf8", id="latin_1"),
        pytest.param(CHINESE.encode() + b"\xff\xff", "gbk", "csv.not_in_charset", id="no_gbk"),
        pytest.param(CHINESE.encode(), "klingon", "csv.charset_unknown", id="unknown"),
        pytest.param(HEADER.replace(",", ";").encode(), "", "csv.separator_not_comma", id="semicolons"),
        pytest.param(HEADER.replace(",", "\t").encode(), "", "csv.separator_not_comma", id="tabs"),
    ],
)
def test_a_file_in_another_charset_or_form_is_refused_as_a_whole(data: bytes, charset: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(data, charset)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "handle",
    [
        "ana·maria",
        "นักรีวิว",
        "प्रिया_शर्मा",
        "मेरा.नाम",
        "ქეთი",
        "محمد",
        "林小满",
        "beyoncé",
        "a-b_c.d",
        "12345",
        "x" * 64,
        "ક્‍ષ",
    ],
)
def test_handles_of_any_script_are_taken(handle: str) -> None:
    assert read(row(handle)).problems == ()


@pytest.mark.parametrize(
    "handle",
    [
        *(".", "-._", "_", "·", "1.2万", "3萬", "12亿+", "1.2w", "3.5k"),
        *("a b", "a/b", "x" * 65, "\u0301a", "a\u200db", "a\u200b", "👍"),
    ],
)
def test_what_is_no_handle_is_refused(handle: str) -> None:
    assert problems(read(row(handle))) == [(2, "handle", "creator.handle_malformed")]


@pytest.mark.parametrize(
    ("shares", "taken"),
    [
        ("female=0.6667;male=0.3334", True),
        ("18-24=0.3334;25-34=0.3334;35-44=0.3333", True),
        ("18-24=0.41;25-34=0.38;35-44=0.11;45+=0.06;<18=0.05", True),
        ("female=0.61;male=0.41", False),
        ("female=1;male=0.01", True),
        ("female=1;male=1", False),
        ("female=0.7;male=0.4", False),
    ],
)
def test_shares_that_are_too_many_by_rounding_are_taken(shares: str, taken: bool) -> None:
    column = "audience_gender" if "female" in shares else "audience_ages"
    found = read(f"{row('one')},100,{shares}", header=f"{HEADER},audience_sample,{column}").rows[0]
    audience = next(change.audience for change in found.changes if isinstance(change, ReportAudience))
    total = sum(share.bps for share in (*audience.gender, *audience.ages))
    assert (total == 10_000) is taken


def test_every_rule_of_a_row_is_a_sentence() -> None:
    """Also those that the decision on a row refuses it by: a code is no reason."""
    names = (
        "audience",
        "categories",
        "checks",
        "creator",
        "csv_columns",
        "figures",
        "profile",
        "rate_card",
        "suspension",
        "csv/shares",
    )
    folder = Path(creator_csv.__file__).parent
    text = "\n".join((folder / f"{name}.py").read_text() for name in names)
    codes = set(re.findall(r'(?:Invalid|Refused)\(\s*"([a-z_.]+)"', text))
    assert codes - REASONS.keys() == NOT_OF_A_ROW


NOT_OF_A_ROW = {
    "creator.id_is_not_the_stream",
    "creator.not_registered",
    "creator.reason_missing",
    "creator.revision_malformed",
    "creator.suspension_ends_before_it_begins",
    "performance.window_unknown",
    "rate_card.next_price_incomplete",
    "rate_card.next_price_not_ahead",
    "time.not_utc",
}
"""What no row of a file can bring about."""
