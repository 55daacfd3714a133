"""A mail address: verified by the code of a letter, shown under consent, each reading on record; gone with an erasure."""

import re
from typing import Any

import grpc
import pytest
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import contact_pb2 as pb

from kernel.core.ids import new_id
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.discovery.projections import CONTACTS_PROJECTION, PROOFS_PROJECTION
from tests.integration.discovery.client import BRAND, MAIL, OPERATOR, Discovery
from tests.integration.discovery.test_commands import itself, registered
from tests.kit.quiet import until_quiet
from tests.kit.until import until

SHOWN = {"purpose": "contact_shown"}


async def contact(discovery: Discovery, creator_id: str, *who: str, token: str = "") -> pb.CreatorContact:
    async with discovery.queries(*who) as queries:
        request = pb.GetContactRequest(creator_id=creator_id, at_least=token)
        answer: pb.GetContactResponse = await queries.GetContact(request)
        return answer.contact


async def readings(discovery: Discovery, creator_id: str, *who: str) -> list[pb.ContactReading]:
    async with discovery.queries(*who) as queries:
        answer = await queries.ListContactReadings(pb.ListContactReadingsRequest(creator_id=creator_id))
        return list(answer.readings)


async def code_of(address: str) -> str:
    async def arrived() -> bool:
        return MAIL.newest(address) is not None

    await until(arrived)
    letter = MAIL.newest(address)
    assert letter is not None
    found = re.search(r"^[0-9]{6}$", letter.text, re.MULTILINE)
    assert found is not None
    return found[0]


async def sent(discovery: Discovery, creator_id: str, what: str, body: dict[str, Any]) -> str:
    return await discovery.done("POST", f"/creators/{creator_id}/contact/{what}", body, itself(creator_id))


async def verified(discovery: Discovery) -> tuple[str, str]:
    """A creator with a verified address, and the address."""
    creator_id = await registered(discovery, f"mailed.{new_id()[-6:]}")
    address = f"{new_id()}@example.com"
    await sent(discovery, creator_id, "address", {"address": address})
    await sent(discovery, creator_id, "confirm", {"code": await code_of(address)})
    return creator_id, address


async def test_the_code_of_the_letter_verifies_and_mistakes_are_counted(discovery: Discovery) -> None:
    creator_id, address = await registered(discovery, f"mail.{new_id()[-6:]}"), f"{new_id()}@example.com"
    await sent(discovery, creator_id, "address", {"address": address})
    code = await code_of(address)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    token = await sent(discovery, creator_id, "confirm", {"code": wrong})
    found = await contact(discovery, creator_id, *itself(creator_id), token=token)
    assert (found.address, found.verified, found.tries_left) == (address, False, 4)
    token = await sent(discovery, creator_id, "confirm", {"code": code})
    assert (await contact(discovery, creator_id, *itself(creator_id), token=token)).verified
    again = await discovery.send("POST", f"/creators/{creator_id}/contact/confirm", {"code": code}, itself(creator_id))
    assert again.json()["code"] == "contact.no_code"


async def test_after_five_mistakes_the_right_code_is_worth_nothing(discovery: Discovery) -> None:
    creator_id, address = await registered(discovery, f"tries.{new_id()[-6:]}"), f"{new_id()}@example.com"
    await sent(discovery, creator_id, "address", {"address": address})
    code = await code_of(address)
    for step in range(1, 6):
        await sent(discovery, creator_id, "confirm", {"code": f"{(int(code) + step) % 10**6:06}"})
    late = await discovery.send("POST", f"/creators/{creator_id}/contact/confirm", {"code": code}, itself(creator_id))
    assert (late.status_code, late.json()["code"]) == (429, "contact.too_many_tries")


async def test_an_address_that_is_refused_for_good_ends_the_code(discovery: Discovery) -> None:
    creator_id = await registered(discovery, f"refused.{new_id()[-6:]}")
    await sent(discovery, creator_id, "address", {"address": f"{new_id()}@refused.example"})

    async def ended() -> bool:
        found = await contact(discovery, creator_id, *itself(creator_id))
        return bool(found.address) and not found.HasField("code_expires_at")

    await until(ended)


async def test_a_brand_reads_the_address_only_under_consent_and_the_creator_sees_it(discovery: Discovery) -> None:
    creator_id, address = await verified(discovery)
    read = f"/creators/{creator_id}/contact/readings"
    refused = await discovery.send("POST", read, {"note": "a lipstick campaign"}, BRAND)
    assert (refused.status_code, refused.json()["code"]) == (409, "contact.not_shown")
    token = await sent(discovery, creator_id, "consents/give", SHOWN)
    before = await contact(discovery, creator_id, *BRAND, token=token)
    assert (before.address, before.shown, len(before.consents)) == ("", True, 0)
    token = await discovery.done("POST", read, {"note": "a lipstick campaign"}, BRAND)
    assert (await contact(discovery, creator_id, *BRAND, token=token)).address == address
    assert (await contact(discovery, creator_id, "boris", *BRAND[1:])).address == ""
    assert (await contact(discovery, creator_id, *OPERATOR)).address == ""
    (seen,) = await readings(discovery, creator_id, *itself(creator_id))
    assert (seen.reader, seen.reader_tenant, seen.note) == (BRAND[0], BRAND[1], "a lipstick campaign")
    assert await readings(discovery, creator_id, "mallory", new_id(), "brand") == []
    token = await sent(discovery, creator_id, "consents/withdraw", SHOWN)
    assert (await contact(discovery, creator_id, *BRAND, token=token)).address == ""
    assert (await discovery.send("POST", read, {"note": "again"}, BRAND)).json()["code"] == "contact.not_shown"


async def test_another_address_has_to_be_verified_anew(discovery: Discovery) -> None:
    creator_id, _ = await verified(discovery)
    await sent(discovery, creator_id, "consents/give", SHOWN)
    token = await sent(discovery, creator_id, "address", {"address": f"{new_id()}@example.com"})
    found = await contact(discovery, creator_id, *BRAND, token=token)
    assert (found.verified, found.shown) == (False, False)


async def test_an_erasure_takes_the_contact_and_what_was_written_of_it(discovery: Discovery) -> None:
    creator_id, _ = await verified(discovery)
    await sent(discovery, creator_id, "consents/give", SHOWN)
    await discovery.done("POST", f"/creators/{creator_id}/contact/readings", {"note": "call Mei at home"}, BRAND)
    await discovery.tell(f"erasure-{creator_id}", compliance.SubjectErased(subject_id=creator_id))

    async def gone() -> bool:
        found = await contact(discovery, creator_id, *itself(creator_id))
        return (found.address, found.verified) == ("", False)

    await until(gone)
    (left,) = await readings(discovery, creator_id, *BRAND)
    assert left.note == ""


async def test_nobody_but_the_creator_names_an_address_or_consents(discovery: Discovery) -> None:
    creator_id = await registered(discovery, f"nobody.{new_id()[-6:]}")
    for what, body in (
        ("address", {"address": "x@example.com"}), ("confirm", {"code": "000000"}), ("consents/give", SHOWN),
        ("consents/withdraw", SHOWN),
    ):  # fmt: skip
        for who in (OPERATOR, BRAND):
            refused = await discovery.send("POST", f"/creators/{creator_id}/contact/{what}", body, who)
            assert refused.status_code == 403, what
    with pytest.raises(grpc.aio.AioRpcError):
        await contact(discovery, "no-id", *BRAND)


async def test_a_rebuild_of_proofs_and_contacts_equals_live(discovery: Discovery) -> None:
    """After all that the tests above did: mistakes, consents, readings, an erasure."""
    handle = f"rebuilt.{new_id()[-6:]}"
    creator_id, account = await registered(discovery, handle), {"platform": "xiaohongshu", "handle": handle}
    await discovery.done("POST", f"/creators/{creator_id}/proofs", account, itself(creator_id))
    await verified(discovery)
    await until_quiet(discovery.app)
    for projection in (PROOFS_PROJECTION, CONTACTS_PROJECTION):
        found = await compare_rebuild(discovery.app, projection)
        assert broken([found]) == []
        assert found.checked
