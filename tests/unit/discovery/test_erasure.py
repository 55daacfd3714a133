"""Who was forgotten is remembered; revisions say nothing without their key."""

from kernel.adapters.vault.personal import SubjectKey
from kernel.core.decider import DecidedEvent
from kernel.core.personal import ErasureDone
from services.discovery.domain.erasure import FORGOTTEN, ForgottenRow
from services.discovery.rest.sealing import revision_of, seal
from tests.kit.rows import NoRows
from tests.unit.discovery.given import ID, NOON

KEY, OTHER_KEY = SubjectKey(ID, b"k" * 32), SubjectKey(ID, b"o" * 32)


def test_who_was_forgotten_is_remembered_at_the_head() -> None:
    folded = FORGOTTEN.fold(DecidedEvent("erasure-1", "platform", 2, NOON, ErasureDone(ID)), NoRows())
    assert dict(folded) == {(ID,): ForgottenRow(ID)}


def test_the_same_text_has_the_same_revision_under_its_key_only() -> None:
    assert revision_of(KEY, "bio", "林") == revision_of(KEY, "bio", "林")
    others = {revision_of(KEY, "bio", "木"), revision_of(KEY, "contact", "林"), revision_of(OTHER_KEY, "bio", "林")}
    assert revision_of(KEY, "bio", "林") not in others
    assert len(others) == 3


def test_sealed_texts_open_again_and_empty_ones_are_left_out() -> None:
    sealed = seal(KEY, {"display_name": "林小满", "bio": "", "contact": "a@example.com"})
    assert sealed.revisions.keys() == {"display_name", "contact"}
    assert {one.field: KEY.open(one) for one in sealed.sealed} == {"display_name": "林小满", "contact": "a@example.com"}
    assert {one.field: one.revision for one in sealed.sealed} == sealed.revisions
