"""The creators file: what is wrong is reported with line, column and rule; what is right is kept."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from kernel.core.ids import derived_id
from services.discovery.domain.audience import Share
from services.discovery.domain.commands import ChangeRateCard, ReportAudience, ReportFollowers, ReportPerformance
from services.discovery.domain.creator_csv import (
    PROBLEMS_LIMIT,
    RECORD_LINES,
    ROWS_LIMIT,
    Parsed,
    parse,
    split_records,
)
from services.discovery.domain.csv.shares import read_ratio
from services.discovery.domain.csv_columns import COLUMNS, REQUIRED
from services.discovery.domain.profile import Availability, Platform
from services.discovery.domain.rate_card import Format

HEADER = "platform,handle,display_name,categories,observed_on,followers"


def row(handle: str, **changes: str) -> str:
    values = {"platform": "douyin", "handle": handle, "display_name": "林梅", "categories": "美妆",
              "observed_on": "2025-06-30", "followers": "12000"} | changes  # fmt: skip
    return ",".join(values.values())


def read(*lines: str, header: str = HEADER, end: str = "\r\n") -> Parsed:
    return parse(end.join([header, *lines, ""]).encode())


def problems(parsed: Parsed) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.column, problem.rule) for problem in parsed.problems]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte_order_mark"])
@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["crlf", "lf"])
def test_a_good_row(mark: bytes, end: str) -> None:
    parsed = parse(mark + f"{HEADER}{end}{row('@Lin.Mei')}".encode())
    assert (parsed.read_rows, parsed.bad_rows, parsed.problems) == (1, 0, ())
    (found,) = parsed.rows
    assert (found.line, found.account.platform, found.account.handle) == (2, Platform.DOUYIN, "lin.mei")
    assert (found.display_name, found.profile.categories) == ("林梅", ("美妆",))
    assert found.creator_id == derived_id("creator", "douyin", "lin.mei")
    (followers,) = found.changes
    assert isinstance(followers, ReportFollowers)
    assert followers.followers.observed_at == datetime(2025, 6, 30, tzinfo=UTC)


def test_every_column_reaches_the_command() -> None:
    values = {
        "platform": "xiaohongshu", "handle": "mei", "display_name": '"Mei ""M"" Lin, 林"', "bio": '"two\r\nlines"',
        "contact": "mei@example.com", "categories": "美妆/口红;时尚", "tags": "a;b", "languages": "zh;en",
        "country": "CN", "province": "上海", "city": "上海", "birth_year": "1995", "gender": "female",
        "agency_id": "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f", "virtual_operator": "Studio", "guardian_consent": "true",
        "examples": "https://a.example/1", "availability": "open", "max_parallel_jobs": "3", "currency": "CNY",
        "image_note_minor": "100", "video_minor": "200", "live_hour_minor": "300", "story_minor": "50",
        "commission": "0.15", "closed_formats": "story", "observed_on": "2025-06-30", "provenance": "platform",
        "followers": "48000", "image_note_exposures": "9", "image_note_reads": "8", "image_note_engagements": "7",
        "video_exposures": "6", "video_reads": "5", "video_engagements": "4", "audience_sample": "1000",
        "audience_gender": "female=0.72;male=0.28", "audience_ages": "18-24=0.5", "audience_locations": "上海=0.2",
        "audience_interests": "美妆=1", "audience_active": "0.613",
        "account_id": "5f3a",
    }  # fmt: skip
    assert set(values) == set(COLUMNS)
    parsed = read(",".join(values.values()), header=",".join(values))
    assert parsed.problems == ()
    (found,) = parsed.rows
    command = found.command({"display_name": "r1", "bio": "r2", "contact": "r3"})
    assert (found.display_name, found.bio) == ('Mei "M" Lin, 林', "two\nlines")
    profile = command.registration.profile
    assert (profile.display_name_revision, profile.bio_revision, profile.contact_revision) == ("r1", "r2", "r3")
    assert (profile.virtual_human, profile.birth_year, profile.languages) == (True, 1995, ("zh", "en"))
    card = next(change.card for change in command.changes if isinstance(change, ChangeRateCard))
    assert (card.currency, card.commission_bps, card.closed) == ("CNY", 1500, (Format.STORY,))
    assert {price.format: price.price_minor for price in card.prices} == {
        Format.IMAGE_NOTE: 100, Format.VIDEO: 200, Format.LIVE_HOUR: 300, Format.STORY: 50,
    }  # fmt: skip
    audience = next(change.audience for change in command.changes if isinstance(change, ReportAudience))
    assert (audience.gender, audience.active_bps) == ((Share("female", 7200), Share("male", 2800)), 6130)
    cells = [change.performance for change in command.changes if isinstance(change, ReportPerformance)]
    assert [(cell.format, cell.exposures, cell.engagements) for cell in cells] == [
        (Format.IMAGE_NOTE, 9, 7),
        (Format.VIDEO, 6, 4),
    ]
    assert any(getattr(change, "availability", None) is Availability.OPEN for change in command.changes)


def test_bad_rows_are_named_and_good_rows_kept() -> None:
    parsed = read(
        row("one"),
        row("two", platform="myspace", followers="12,000"),
        row("three", followers="many", observed_on="30.06.2025"),
        row("four", categories="化妆"),
        row("five"),
        row("six", display_name=""),
        row("seven eight"),
        row("eight", observed_on="2025-02-30"),
        "only,three,fields",
    )
    assert [found.account.handle for found in parsed.rows] == ["one", "five"]
    assert (parsed.read_rows, parsed.bad_rows) == (9, 7)
    assert problems(parsed) == [
        (3, "", "csv.field_count"),
        (4, "observed_on", "day.malformed"),
        (4, "followers", "number.malformed"),
        (5, "categories", "category.unknown"),
        (7, "display_name", "csv.value_missing"),
        (8, "handle", "creator.handle_malformed"),
        (9, "observed_on", "day.malformed"),
        (10, "platform", "value.unknown"),
        (10, "categories", "csv.value_missing"),
        (10, "observed_on", "csv.value_missing"),
        (10, "followers", "csv.value_missing"),
    ]
    assert "化妆" in parsed.problems[3].reason


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("audience_active", "61.3", "ratio.malformed"), ("audience_active", "61%", "ratio.malformed"),
        ("audience_active", "1.01", "ratio.malformed"), ("audience_active", "0.12345", "ratio.malformed"),
        ("commission", "-0.1", "ratio.malformed"), ("video_minor", "1e5", "number.malformed"),
        ("video_minor", "-5", "number.malformed"), ("video_minor", "¥500", "number.malformed"),
        ("currency", "RMB", "money.unknown_currency"), ("gender", "f", "value.unknown"),
        ("languages", "Chinese", "creator.language_malformed"), ("guardian_consent", "yes", "flag.malformed"),
        ("closed_formats", "reel", "value.unknown"), ("audience_gender", "female", "share.malformed"),
        ("audience_gender", "=0.5", "share.malformed"), ("examples", "javascript:x", "creator.link_malformed"),
        ("display_name", "x" * 81, "text.too_long"), ("bio", "x" * 1001, "text.too_long"),
        ("tags", ";".join("abcdefghijklmnopqrstuvwxyz" * 3), "list.too_long"),
    ],
)  # fmt: skip
def test_a_value_in_another_unit_or_form_is_refused_not_guessed(column: str, value: str, rule: str) -> None:
    header = HEADER if column in HEADER.split(",") else f"{HEADER},{column}"
    line = row("one", **{column: value})
    parsed = read(line, header=header)
    assert problems(parsed) == [(2, column, rule)]


@pytest.mark.parametrize(
    ("column", "value", "needs"),
    [("video_minor", "100", "currency"), ("video_reads", "9", "video_exposures"),
     ("availability", "open", "max_parallel_jobs")],
)  # fmt: skip
def test_what_a_value_needs_beside_it_is_named(column: str, value: str, needs: str) -> None:
    parsed = read(row("one", **{column: value}), header=f"{HEADER},{column}")
    assert problems(parsed) == [(2, needs, "csv.value_missing")]


def test_the_same_account_twice_in_a_file_is_reported_with_the_first_line() -> None:
    parsed = read(row("mei"), row("other"), row("@MEI"), row("mei", platform="weibo"))
    assert [found.line for found in parsed.rows] == [2, 3, 5]
    assert problems(parsed) == [(4, "handle", "csv.duplicate_row")]
    assert parsed.problems[0].reason.endswith("(2)")


def test_a_row_that_was_refused_takes_no_account() -> None:
    rows = [row(handle, account_id=id_) for handle, id_ in (("one", "1"), ("two", "1"), ("two", "2"))]
    parsed = read(*rows, header=f"{HEADER},account_id")
    assert [found.line for found in parsed.rows] == [2, 4]
    assert problems(parsed) == [(3, "handle", "csv.duplicate_row")]


def test_a_broken_quote_costs_its_own_line_only() -> None:
    parsed = read(
        row("one"), row("two", display_name='"open'), row("three"), row("four", display_name='a"b'), row("five")
    )
    assert [found.account.handle for found in parsed.rows] == ["one", "three", "five"]
    assert {(line, rule) for line, _, rule in problems(parsed)} <= {
        (3, "csv.quote_not_closed"),
        (3, "csv.quoting_malformed"),
        (5, "csv.quote_not_closed"),
        (5, "csv.quoting_malformed"),
    }
    assert parsed.bad_rows == 2


def test_a_quoted_field_may_span_a_bounded_number_of_lines() -> None:
    def spanning(lines: int) -> Parsed:
        return read(row("one", display_name="林", bio='"' + "\n".join("x" * lines) + '"'), header=f"{HEADER},bio")

    assert spanning(RECORD_LINES).bad_rows == 0
    assert problems(spanning(RECORD_LINES + 1))[0] == (2, "", "csv.quote_not_closed")


def test_bytes_that_are_no_utf8_cost_their_line_only() -> None:
    good = row("one").encode()
    parsed = parse(b"\n".join([HEADER.encode(), good, b"\xff\xfe,caf\xe9", row("two").encode()]))
    assert [found.account.handle for found in parsed.rows] == ["one", "two"]
    assert problems(parsed) == [(3, "", "csv.not_utf8")]


def test_control_characters_are_refused() -> None:
    assert problems(read(row("one", display_name="a\x00b"))) == [(2, "", "csv.control_character")]
    assert problems(read(row("one", display_name="a\rb"))) == [(2, "", "csv.control_character")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "csv.empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n\r\n", "csv.empty", id="blank"),
        pytest.param("platform".encode("utf-16"), "csv.not_utf8", id="utf16"),
        pytest.param(b"\x80\x81\n", "csv.not_utf8", id="binary"),
        pytest.param(b'plat"form\n', "csv.quote_not_closed", id="quote_in_header"),
        pytest.param(f"{HEADER},password".encode(), "csv.column_unknown", id="unknown_column"),
        pytest.param(f"{HEADER},handle".encode(), "csv.column_repeated", id="repeated_column"),
        pytest.param(HEADER.replace("handle,", "").encode(), "csv.column_missing", id="missing_column"),
        pytest.param(HEADER.encode() + b"\nx" * (ROWS_LIMIT + 1), "csv.too_many_rows", id="too_many_rows"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(data)
    assert caught.value.code == code


def test_listed_problems_are_bounded_and_all_bad_rows_are_counted() -> None:
    parsed = read(*["x"] * (PROBLEMS_LIMIT + 7))
    assert (len(parsed.problems), parsed.bad_rows) == (PROBLEMS_LIMIT, PROBLEMS_LIMIT + 7)


def test_required_columns_are_the_documented_ones() -> None:
    assert ",".join(REQUIRED) == HEADER


@given(st.binary(max_size=300))
def test_random_bytes_end_in_a_report_or_a_typed_refusal(data: bytes) -> None:
    try:
        parsed = parse(HEADER.encode() + b"\n" + data)
    except Invalid:
        return
    assert len(parsed.rows) + parsed.bad_rows == parsed.read_rows


FIELD = st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.just("\n"), max_size=30)


@given(st.lists(st.lists(FIELD, min_size=2, max_size=4), min_size=1, max_size=8))
def test_what_rfc_4180_writes_is_read_back(records: list[list[str]]) -> None:
    text = "\r\n".join(",".join('"' + field.replace('"', '""') + '"' for field in record) for record in records)
    assert [list(record.fields or ()) for record in split_records(text.encode())] == records


@given(st.integers(0, 10_000))
def test_ratios_are_exact_basis_points(bps: int) -> None:
    assert read_ratio(f"{bps // 10_000}.{bps % 10_000:04d}") == bps
