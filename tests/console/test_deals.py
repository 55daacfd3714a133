"""Progress, texts and drafts: what pages work out from what the services say."""

from datetime import UTC, datetime, timedelta

import pytest
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.events_pb2 import Terms, UnusualTerm
from dandelion.compliance.v1.events_pb2 import SEVERITY_BLOCKING, SEVERITY_WARNING, Finding

from console.forms import Form
from console.look.formats import Formats
from console.pages.calendar import _day, _moved, _span
from console.pages.deals.drafts import brief_body, terms_body
from console.pages.deals.progress import COLUMN_OF, DONE, STEPS, board, column_of, late_ones, next_turn, turn_of
from console.pages.deals.terms import TERMS, told, unusual_told
from console.pages.deals.texts import compared, marked

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EN = Formats("en", "Asia/Shanghai", NOW)


def view(step: str, hours: float | None = None) -> pb.DeliverableView:
    made = pb.DeliverableView(step=step)
    if hours is not None:
        made.deliverable.due_at.FromDatetime(NOW + timedelta(hours=hours))
    return made


def work(*steps: str, **fields: object) -> pb.Collaboration:
    values = {"status": pb.COLLABORATION_STATUS_FUNDED, "product": "none", **fields}
    return pb.Collaboration(**values, deliverables=[view(step) for step in steps])  # type: ignore[arg-type]


def test_every_step_of_the_service_has_words_and_a_column() -> None:
    from services.campaigns.domain.collaboration.deliverable import Stage

    assert set(STEPS) == set(Stage)
    assert set(STEPS) - set(COLUMN_OF) == DONE


@pytest.mark.parametrize(
    ("made", "column"),
    [
        (work(status=pb.COLLABORATION_STATUS_CONTRACTED), "funding"),
        (work("waiting", product="sent"), "product"),
        (work("published", "open"), "content"),
        (work("settled", "in_review"), "review"),
        (work("settled", "paying"), "live"),
        (work(status=pb.COLLABORATION_STATUS_SETTLED), "settled"),
        (work("open", status=pb.COLLABORATION_STATUS_CANCELLED), "over"),
    ],
)
def test_a_collaboration_stands_where_its_last_deliverable_is(made: pb.Collaboration, column: str) -> None:
    assert column_of(made) == column
    assert board([made])[column] == [made]


def test_the_most_urgent_turn_is_shown() -> None:
    made = pb.Collaboration(status=pb.COLLABORATION_STATUS_FUNDED, product="none")
    made.deliverables.extend([view("approved", 40), view("in_review", -1), view("open")])
    turn = next_turn(made, NOW)
    assert turn is not None
    assert (turn.who, turn.is_late, turn.tone) == ("Brand", True, "bad")
    assert [late.turn.who for late in late_ones([made], NOW)] == ["Brand"]
    assert turn_of(view("settled", -5), NOW).is_late is False


def test_findings_are_marked_where_they_are() -> None:
    found = [
        Finding(field="text", span_start=2, span_end=4, severity=SEVERITY_BLOCKING, reason="no superlatives"),
        Finding(field="text", span_start=3, span_end=6, severity=SEVERITY_WARNING),
        Finding(field="title", span_start=0, span_end=1, severity=SEVERITY_BLOCKING),
        Finding(field="text", span_start=8, span_end=99, severity=SEVERITY_WARNING),
    ]
    pieces = marked("这是最好的口红啊！<b>", found)
    assert [(one.text, one.kind) for one in pieces] == [
        ("这是", ""),
        ("最好", "bad"),
        ("的口红啊", ""),
        ("！<b>", "warn"),
    ]
    assert "".join(one.text for one in pieces) == "这是最好的口红啊！<b>"


def test_two_versions_are_compared_word_by_word() -> None:
    pieces = compared("The best serum", "The mild serum")
    assert [(one.text, one.kind) for one in pieces] == [("The ", ""), ("best", "gone"), ("mild", "new"), (" serum", "")]
    assert [one.kind for one in compared("x " * 3_000, "y " * 3_000)] == [""], "too long to compare"


def test_terms_are_told_in_their_units_with_what_is_usual() -> None:
    unusual = [UnusualTerm(term="draft_s", value=86_400, usual_least=604_800, usual_most=5_184_000)]
    terms = Terms(draft_s=86_400, live_check_after_s=3_600, claw_back_bps=2_500, usage_rights_days=1)
    said = {one.name: (one.value, one.usual) for one in told(EN, terms, unusual)}
    assert said["Draft within"] == ("1 day", "7 days – 60 days")
    assert said["First look at the post after"] == ("1 hour", "")
    assert said["Goes back to the brand otherwise"] == ("25%", "")
    assert said[TERMS["dispute_s"]][0] == "14 days", "0 stands for the platform's own"
    assert [one.name for one in unusual_told(EN, unusual)] == ["Draft within"]


def test_a_posting_window_is_made_of_days_of_the_campaign_s_zone() -> None:
    typed = {"brief.currency": "jpy", "brief.budget_minor": "1,000", "brief.timezone": "America/New_York",
             "brief.posting_from": "2027-03-13", "brief.posting_until": "2027-03-14", "brief.title": "x",
             "brief.deliverables.3.platform": "douyin", "brief.deliverables.3.occurrences": "2",
             "brief.deliverables.3.every_s": "0.5"}  # fmt: skip
    form = Form({name: [value] for name, value in typed.items()})
    body = brief_body(form)
    assert (body["posting_from"], body["posting_until"]) == ("2027-03-13T05:00:00Z", "2027-03-14T16:00:00Z")
    assert (body["currency"], body["budget_minor"]) == ("JPY", 1_000)
    assert [(one["occurrences"], one["every_s"]) for one in body["deliverables"]] == [(2, 43_200)]
    assert terms_body(form)["clocks"]["draft_s"] == 14 * 86_400


@pytest.mark.parametrize(
    ("day", "is_week", "span"),
    [
        ("2027-02-14", False, ("2027-02-01", "2027-03-01")),
        ("2027-03-31", False, ("2027-03-01", "2027-04-05")),
        ("2026-11-30", True, ("2026-11-30", "2026-12-07")),
    ],
)
def test_a_calendar_shows_whole_weeks(day: str, is_week: bool, span: tuple[str, str]) -> None:
    chosen = _day(day)
    assert chosen is not None
    assert tuple(one.isoformat() for one in _span(chosen, is_week)) == span


def test_a_calendar_is_turned_over_the_year() -> None:
    december = _day("2026-12-31")
    assert december is not None
    assert _moved(december, False, 1).isoformat() == "2027-01-01"
    assert _moved(december, False, -1).isoformat() == "2026-11-01"
    assert [_day(text) for text in ("", "2026-02-30", "9999-01-01", "<b>")] == [None] * 4
