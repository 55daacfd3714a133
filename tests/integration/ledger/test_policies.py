"""A fee policy from its proposal to the public event and the list that everybody may read: HTTP, topic, gRPC."""

from dandelion.ledger.v1 import queries_pb2 as queries

from kernel.core.ids import new_id
from tests.integration.ledger.client import FINANCE, Ledger, unique

FRED = ("fred", "platform", "finance")
ANYBODY = ("bea", unique("brand"), "brand")


async def policies(ledger: Ledger, token: str, *who: str) -> queries.ListFeePoliciesResponse:
    async with ledger.queries(*who) as stub:
        answer: queries.ListFeePoliciesResponse = await stub.ListFeePolicies(
            queries.ListFeePoliciesRequest(at_least=token)
        )
    return answer


async def test_two_people_set_the_fees_of_a_later_date(ledger: Ledger) -> None:
    policy_id = new_id()
    path = f"/fee-policies/{policy_id}"
    body = {"since": "2099-01-01T00:00:00Z", "brand_fee_bps": 1_200, "creator_fee_bps": 300}
    proposed = await ledger.done("PUT", path, body, FINANCE)
    assert not [
        one for one in (await policies(ledger, proposed["token"], *ANYBODY)).policies if one.policy_id == policy_id
    ]
    assert await ledger.refused("POST", f"{path}/approve", None, FINANCE) == "fee.own_policy"
    approved = await ledger.done("POST", f"{path}/approve", None, FRED)
    changed = await ledger.published("FeePolicyChanged", fee_policy="fees@2099-01-01")
    assert (changed.brand_fee_bps, changed.creator_fee_bps) == (1_200, 300)
    shown = await policies(ledger, approved["token"], *ANYBODY)
    (mine,) = [one for one in shown.policies if one.policy_id == policy_id]
    assert (mine.fee_policy, mine.brand_fee_bps, mine.proposed_by, mine.approved_by) == (
        "fees@2099-01-01",
        1_200,
        "",
        "",
    )
    assert (shown.in_force.fee_policy, shown.in_force.brand_fee_bps) == ("fees@2025-01-01", 1_000)
    (theirs,) = [one for one in (await policies(ledger, "", *FINANCE)).policies if one.policy_id == policy_id]
    assert (theirs.proposed_by, theirs.approved_by) == ("fay", "fred")


async def test_a_rejected_policy_is_never_in_force(ledger: Ledger) -> None:
    policy_id = new_id()
    path = f"/fee-policies/{policy_id}"
    body = {"since": "2098-01-01T00:00:00Z", "brand_fee_bps": 0, "creator_fee_bps": 0}
    await ledger.done("PUT", path, body, FINANCE)
    rejected = await ledger.done("POST", f"{path}/reject", {"reason": "too low"}, FRED)
    assert await ledger.refused("POST", f"{path}/approve", None, FRED) == "fee.not_proposed"
    shown = (await policies(ledger, rejected["token"], *FINANCE)).policies
    (mine,) = [one for one in shown if one.policy_id == policy_id]
    assert (mine.status, mine.reason) == (queries.FEE_POLICY_STATUS_REJECTED, "too low")
    past = {**body, "since": "2020-01-01T00:00:00Z"}
    assert await ledger.refused("PUT", f"/fee-policies/{new_id()}", past, FINANCE) == "fee.policy_not_later"
