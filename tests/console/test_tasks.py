"""What needs a person: whose turn it is, what is late, what comes first."""

from datetime import UTC, datetime, timedelta

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, PARTY_CREATOR
from dandelion.campaigns.v1.queries_pb2 import (
    APPLICATION_STATUS_COUNTERED,
    APPLICATION_STATUS_DECLINED,
    DELIVERABLE_STATUS_REVIEWED,
    DELIVERABLE_STATUS_REVISION_REQUESTED,
    DELIVERABLE_STATUS_SCHEDULED,
    Application,
    Collaboration,
    DeliverableView,
)
from dandelion.ledger.v1.queries_pb2 import HandMove

from console.tasks import of_applications, of_books, of_collaborations, of_moves, sorted_by_need

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def test_an_offer_waits_for_the_other_side() -> None:
    offer = Application(application_id="a", status=APPLICATION_STATUS_COUNTERED, offered_by=PARTY_CREATOR)
    over = Application(application_id="b", status=APPLICATION_STATUS_DECLINED, offered_by=PARTY_CREATOR)
    assert [task.to for task in of_applications([offer, over], PARTY_BRAND)] == ["/applications/a"]
    assert list(of_applications([offer, over], PARTY_CREATOR)) == []


def work(*views: DeliverableView) -> Collaboration:
    return Collaboration(collaboration_id="c", creator_id="x", deliverables=views)


def test_a_step_is_one_side_s_task() -> None:
    told = work(
        DeliverableView(status=DELIVERABLE_STATUS_REVIEWED),
        DeliverableView(status=DELIVERABLE_STATUS_REVISION_REQUESTED),
    )
    brand = [task.said for task in of_collaborations([told], PARTY_BRAND, NOW)]
    creator = [task.said for task in of_collaborations([told], PARTY_CREATOR, NOW)]
    assert brand == ["A draft waits for your decision"]
    assert creator == ["A revision is asked for"]


def test_what_is_late_says_so_and_comes_first() -> None:
    late, soon = (
        DeliverableView(status=DELIVERABLE_STATUS_SCHEDULED),
        DeliverableView(status=DELIVERABLE_STATUS_SCHEDULED),
    )
    late.publish_at.FromDatetime(NOW - timedelta(hours=1))
    soon.publish_at.FromDatetime(NOW + timedelta(hours=1))
    endless = DeliverableView(status=DELIVERABLE_STATUS_REVISION_REQUESTED)
    tasks = sorted_by_need(of_collaborations([work(endless, soon, late)], PARTY_CREATOR, NOW))
    assert [task.is_late for task in tasks] == [True, False, False]
    assert tasks[-1].until is None


def test_nobody_approves_what_one_proposed_oneself() -> None:
    moves = [HandMove(proposal_id="p", proposed_by="fay"), HandMove(proposal_id="q", proposed_by="fred")]
    assert len(list(of_moves(moves, "fay"))) == 1


def test_an_empty_list_is_no_task() -> None:
    assert [task.count for task in of_books(0, 3, 0)] == [3]
