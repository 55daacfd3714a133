"""A post carries its label, in any spelling that its law takes, and is otherwise the approved text."""

import pytest

from services.campaigns.domain.shared.content_events import ContentPublished
from tests.unit.campaigns.working import (
    APPROVED,
    LABEL,
    SUBMITTED,
    approve,
    decide,
    publish,
    review,
    run,
)


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
