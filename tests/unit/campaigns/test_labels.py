"""A post carries its label, in any spelling that its law takes, and is otherwise the approved text."""

from dataclasses import replace

import pytest

from services.campaigns.domain.shared.brief import Platform
from services.campaigns.domain.shared.content_events import ContentPublished, Disclosure, LabelPlacement
from tests.unit.campaigns.working import (
    APPROVED,
    FUND,
    LABEL,
    ONE,
    SUBMITTED,
    Step,
    approve,
    contracted,
    decide,
    publish,
    review,
    run,
    submit,
)

TOGGLE, OVERLAY = Disclosure.PLATFORM_TOGGLE, Disclosure.OVERLAY


def shown_by(how: Disclosure, text: str = "A serum I like") -> Step:
    actor, command = publish(text=text)
    return actor, replace(command, disclosure=how)


def attached(
    label: str, placement: LabelPlacement = LabelPlacement.TEXT_START, platform: str = "instagram"
) -> list[Step]:
    one = replace(ONE.deliverables[0], platform=Platform(platform))
    actor, command = review(label=label)
    steps = [contracted(replace(ONE, deliverables=(one, *ONE.deliverables[1:]))), FUND, submit()]
    return [*steps, (actor, replace(command, placement=placement)), approve()]


@pytest.mark.parametrize(
    ("label", "platform", "mark"),
    [
        ("Advertising", "instagram", "Paid partnership"),
        ("Advertising", "youtube", "Includes paid promotion"),
        ("Publicité", "instagram", "Collaboration commerciale"),
        ("广告", "xiaohongshu", "广告"),
    ],
)
def test_the_platforms_own_mark_stands_in_the_place_of_the_label(label: str, platform: str, mark: str) -> None:
    (event,) = decide(attached(label, platform=platform), shown_by(TOGGLE))
    assert (event.label, event.placement) == (mark, LabelPlacement.PLATFORM_TOGGLE)
    run(attached(label, platform=platform), publish(text="A serum I like"), "content.label_missing")
    run(attached(label, platform=platform), shown_by(TOGGLE, "A serum I love"), "content.text_differs_from_approved")


def test_a_mark_that_was_declared_with_the_submission_needs_no_second_word() -> None:
    steps = attached("Advertising", LabelPlacement.PLATFORM_TOGGLE)
    (event,) = decide(steps, publish(text="A serum I like"))
    assert (event.label, event.placement) == ("Paid partnership", LabelPlacement.PLATFORM_TOGGLE)


@pytest.mark.parametrize(
    ("label", "platform"), [("Ad", "instagram"), ("Advertising", "weibo"), ("Publicité", "youtube")]
)
def test_a_mark_that_the_law_does_not_take_is_refused(label: str, platform: str) -> None:
    run(attached(label, platform=platform), shown_by(TOGGLE), "content.disclosure_not_accepted")


def test_words_on_the_picture_count_where_the_label_is_due_there() -> None:
    (event,) = decide(attached("Ad", LabelPlacement.OVERLAY), shown_by(OVERLAY))
    assert (event.label, event.placement) == ("Ad", LabelPlacement.OVERLAY)
    run(attached("Ad"), shown_by(OVERLAY), "content.disclosure_not_accepted")


def test_white_space_and_the_label_do_not_change_a_text() -> None:
    run(APPROVED, publish(text=f"A serum\n I like {LABEL}"), [ContentPublished])


@pytest.mark.parametrize(
    "text",
    [
        "Ad: A serum I like", "AD A serum I like", "#AD A serum I like", "[ad] A serum I like", "A serum I like #ad",
        "Ad: A serum I like\r\n", "Ad: A\u00a0serum I like",
    ],
)  # fmt: skip
def test_a_label_counts_however_it_is_written(text: str) -> None:
    run([*SUBMITTED, review(label="Ad"), approve()], publish(text=text), [ContentPublished])


def test_a_spelling_that_the_same_law_takes_is_published_and_is_what_must_stand_there() -> None:
    attached = [*SUBMITTED, review(label="Advertising"), approve()]
    (event,) = decide(attached, publish(text="Anzeige: A serum I like"))
    assert event.label == "Anzeige"
    run(attached, publish(text="Anzeige: A serum I love"), "content.text_differs_from_approved")
    run(attached, publish(text="Keine Anzeige: A serum I like"), "content.label_missing")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A serum I like", "content.label_missing"),
        ("Adidas: A serum I like", "content.label_missing"),
        ("Not an ad. A serum I like", "content.label_missing"),
        ("A serum I like https://x.com/#ad", "content.label_missing"),
        ("#ad-free A serum I like", "content.label_missing"),
        ("A serum I like\n\n\n#ad", "content.label_missing"),
        ("Ad: A serum I love", "content.text_differs_from_approved"),
        ("Ad: Adidas serum I like", "content.text_differs_from_approved"),
    ],
)
def test_what_is_no_label_or_another_text_is_not_published(text: str, code: str) -> None:
    run([*SUBMITTED, review(label="Ad"), approve()], publish(text=text), code)
