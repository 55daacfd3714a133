"""The demo's story, embedded, with fewer observations: it comes to its end, and its numbers fit together."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dandelion.campaigns.v1.events_pb2 import CampaignClosed

from cli.story.heard import Heard
from cli.story.market import Unexpected
from cli.story.plan import DEALS, SMALL
from tests.kit.story import embedded_numbers


@pytest.fixture(scope="module")
async def numbers() -> dict[str, Any]:
    return await embedded_numbers()


def test_every_currency_has_equal_debits_and_credits(numbers: dict[str, Any]) -> None:
    sums: dict[str, list[int]] = {}
    for _, currency, debits, credits, *_ in numbers["trial_balance"]:
        found = sums.setdefault(currency, [0, 0])
        found[0] += debits
        found[1] += credits
    assert sums == numbers["totals"]
    assert all(debits == credits > 0 for debits, credits in sums.values())


def test_what_was_held_was_paid_or_went_back(numbers: dict[str, Any]) -> None:
    escrows = numbers["escrows"].values()
    assert all(one["held_minor"] == one["released_minor"] + one["returned_minor"] for one in escrows)
    assert sum(one["returned_minor"] > 0 for one in escrows) == 1  # the one that was cancelled by the ladder
    left = {row[4] for row in numbers["trial_balance"] if row[0] in ("escrow", "payout_in_transit")}
    assert left == {0}


def test_cost_is_what_the_ledger_paid(numbers: dict[str, Any]) -> None:
    paid: Counter[str] = Counter()
    for one in numbers["escrows"].values():
        paid[one["campaign_id"]] += one["released_minor"]
    for campaign in numbers["campaigns"].values():
        costs = [money["cost_minor"] for money in campaign["roi"].values()]
        assert sum(costs) == paid[campaign["campaign_id"]]


def test_creators_add_up_to_their_campaign(numbers: dict[str, Any]) -> None:
    for campaign in numbers["campaigns"].values():
        creators = campaign["creators"].values()
        for name, count in campaign["counts"].items():
            assert sum(creator["counts"][name] for creator in creators) == count, name
        for currency, money in campaign["roi"].items():
            for name, minor in money.items():
                assert sum(each["roi"].get(currency, {}).get(name, 0) for each in creators) == minor, name


def test_everything_in_the_story_happened(numbers: dict[str, Any]) -> None:
    events = numbers["events"]
    assert numbers["observations"] >= SMALL.observations
    assert events["discovery.CreatorRegistered"] >= 500
    assert events["campaigns.CollaborationContracted"] >= 40
    assert events["campaigns.CollaborationSettled"] == events["campaigns.CollaborationContracted"] - 1
    assert events["campaigns.CollaborationCancelled"] == events["ledger.RefundIssued"] == 1
    assert events["campaigns.ApplicationExpired"] == events["campaigns.OfferCountered"] == 1
    assert events["campaigns.RevisionRequested"] >= 3
    assert events["compliance.ReviewerDecided"] >= 1
    assert events["metrics.ConversionReversed"] >= 1
    assert events["ledger.PayoutFailed"] == events["ledger.DepositFailed"] == 1
    assert len(numbers["campaigns"]) == len(DEALS) == 4


async def test_what_does_not_come_is_named(tmp_path: Path) -> None:
    async with Heard(f"local:///{str(tmp_path / 'bus.db').lstrip('/')}", wait_s=0.2) as heard:
        with pytest.raises(
            Unexpected, match=r"waited 0 s for dandelion.campaigns.v1.CampaignClosed with campaign_id x"
        ):
            await heard.one(CampaignClosed, campaign_id="x")
