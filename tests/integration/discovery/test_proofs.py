"""An account verified by a code in its bio: no person's word decides, outages wait, other claims lose."""

from typing import Any

import grpc
import pytest
from dandelion.discovery.v1 import proofs_pb2 as pb

from kernel.core.faults import Unavailable
from kernel.core.ids import new_id
from services.discovery.ports.profiles import SeenProfile, Unreadable
from tests.integration.discovery.client import BRAND, OPERATOR, PROFILES, Discovery
from tests.integration.discovery.test_commands import itself, registered
from tests.kit.until import until

XHS = {"platform": "xiaohongshu"}


async def proof(discovery: Discovery, creator_id: str, token: str = "", who: Any = None) -> pb.AccountProof:
    async with discovery.queries(*(who or itself(creator_id))) as queries:
        request = pb.ListAccountProofsRequest(creator_id=creator_id, at_least=token)
        answer: pb.ListAccountProofsResponse = await queries.ListAccountProofs(request)
        return answer.proofs[0] if answer.proofs else pb.AccountProof()


async def asked(discovery: Discovery, creator_id: str, handle: str) -> pb.AccountProof:
    token = await discovery.done("POST", f"/creators/{creator_id}/proofs", XHS | {"handle": handle}, itself(creator_id))
    return await proof(discovery, creator_id, token)


async def looked(discovery: Discovery, creator_id: str) -> pb.AccountProof:
    """After a look that has its answer."""
    token = await discovery.done("POST", f"/creators/{creator_id}/proofs/look", XHS, itself(creator_id))
    found = await proof(discovery, creator_id, token)

    async def answered() -> bool:
        nonlocal found
        found = await proof(discovery, creator_id)
        return found.state != pb.PROOF_STATE_LOOKING

    await until(answered)
    return found


async def is_verified(discovery: Discovery, creator_id: str) -> bool:
    return any(one.verified for one in (await discovery.get(creator_id)).accounts)


async def test_the_code_in_the_bio_verifies_the_account_and_is_used_up(discovery: Discovery) -> None:
    handle = f"proved.{new_id()[-6:]}"
    creator_id = await registered(discovery, handle)
    found = await asked(discovery, creator_id, handle)
    assert (found.state, found.looks_left, len(found.code)) == (pb.PROOF_STATE_ASKED, 5, len("dandelion-") + 16)
    PROFILES.answers["xiaohongshu", handle] = [SeenProfile("口红测评"), SeenProfile(f"口红测评 {found.code.upper()}!")]
    found = await looked(discovery, creator_id)
    assert (found.state, found.reason, found.looks_left) == (pb.PROOF_STATE_MISSED, "proof.code_not_in_bio", 4)
    assert not await is_verified(discovery, creator_id)
    assert (await looked(discovery, creator_id)).state == pb.PROOF_STATE_ACCEPTED
    await until(lambda: is_verified(discovery, creator_id))
    assert (await proof(discovery, creator_id)).code == ""
    again = await discovery.send("POST", f"/creators/{creator_id}/proofs/look", XHS, itself(creator_id))
    assert again.json()["code"] == "proof.no_code"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "profile.not_found"), (Unreadable("profile.answer_malformed"), "profile.answer_malformed")],
)
async def test_an_answer_for_good_is_a_verdict(discovery: Discovery, answer: Any, reason: str) -> None:
    handle = f"gone.{new_id()[-6:]}"
    creator_id = await registered(discovery, handle)
    await asked(discovery, creator_id, handle)
    PROFILES.answers["xiaohongshu", handle] = [answer]
    assert (await looked(discovery, creator_id)).reason == reason


async def test_an_outage_is_waited_for(discovery: Discovery) -> None:
    handle = f"outage.{new_id()[-6:]}"
    creator_id = await registered(discovery, handle)
    code = (await asked(discovery, creator_id, handle)).code
    away = Unavailable("profile.answer", status=503)
    PROFILES.answers["xiaohongshu", handle] = [away, away, SeenProfile(code)]
    assert (await looked(discovery, creator_id)).state == pb.PROOF_STATE_ACCEPTED


async def test_a_code_of_another_creator_proves_nothing_and_the_first_proof_decides(discovery: Discovery) -> None:
    handle = f"two.{new_id()[-6:]}"
    owner, other = await registered(discovery, handle), await registered(discovery, handle)
    own, false = await asked(discovery, owner, handle), await asked(discovery, other, handle)
    PROFILES.answers["xiaohongshu", handle] = [SeenProfile(f"hello {own.code}")]
    assert (await looked(discovery, other)).reason == "proof.code_not_in_bio"
    assert (await looked(discovery, owner)).state == pb.PROOF_STATE_ACCEPTED
    PROFILES.answers["xiaohongshu", handle] = [SeenProfile(f"hello {false.code}")]
    assert (await looked(discovery, other)).reason == "creator.handle_taken"
    await until(lambda: is_verified(discovery, owner))
    assert not await is_verified(discovery, other)


async def test_only_the_creator_asks_and_sees_the_code(discovery: Discovery) -> None:
    handle = f"own.{new_id()[-6:]}"
    creator_id = await registered(discovery, handle)
    for who in (OPERATOR, BRAND):
        refused = await discovery.send("POST", f"/creators/{creator_id}/proofs", XHS | {"handle": handle}, who)
        assert refused.status_code == 403
    unlinked = await discovery.send(
        "POST", f"/creators/{creator_id}/proofs", XHS | {"handle": "not.mine"}, itself(creator_id)
    )
    assert unlinked.json()["code"] == "creator.account_not_linked"
    assert (await asked(discovery, creator_id, handle)).code
    assert (await proof(discovery, creator_id, who=OPERATOR)).code == ""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await proof(discovery, creator_id, who=BRAND)
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
