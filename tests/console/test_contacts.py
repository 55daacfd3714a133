"""An account proved and a contact shown by clicking, against the sandbox's platform and mailbox."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.kit.until import until


@pytest.fixture(scope="module")
def creator_id(console: OpenConsole) -> str:
    return console.cast["creator"].tenant


async def test_an_account_is_proved_by_a_code_in_its_bio(console: OpenConsole) -> None:
    async with (
        console.visitor("creator") as creator,
        httpx.AsyncClient(base_url=console.layout.http("sandbox")) as world,
    ):
        form = (await opened(creator, "/profile/accounts")).form("/profile/accounts")
        page = await sent(creator, form, {"platform": "youtube", "handle": "chen.films"})
        proof = next(
            one
            for one in page.forms
            if one.action == "/profile/accounts/proof" and one.fields["handle"] == ["chen.films"]
        )
        page = await sent(creator, proof, {})
        found = re.search(r"dandelion-[a-z2-7]{16}", page.text)
        assert found is not None
        await world.put("/platform/profiles/youtube/chen.films", json={"bio": "films"})
        await sent(creator, page.form("/profile/accounts/look"), {})

        async def answered() -> bool:
            return "The code does not stand in the account" in (await opened(creator, "/profile/accounts")).text

        await until(answered)
        await world.put("/platform/profiles/youtube/chen.films", json={"bio": f"films {found[0]}"})
        await sent(creator, (await opened(creator, "/profile/accounts")).form("/profile/accounts/look"), {})

        async def proved() -> bool:
            return found[0] not in (await opened(creator, "/profile/accounts")).text

        await until(proved)


async def test_an_address_is_confirmed_consented_to_opened_and_the_reading_seen(
    console: OpenConsole, creator_id: str
) -> None:
    path, address = f"/creators/{creator_id}/contact", "chen@films.example"
    async with console.visitor("creator", "zh-CN") as creator:
        form = (await opened(creator, "/profile/contact")).form("/contact/address")
        assert (await sent(creator, form, {"address": "no address"})).answer.status_code == 422
        await sent(creator, form, {"address": address})
        wrong = (await opened(creator, "/profile/contact")).form("/contact/confirm")
        code = await code_for(console, address)
        assert "还可尝试 4 次" in (await sent(creator, wrong, {"code": f"{(int(code) + 1) % 10**6:06}"})).text
        page = await sent(creator, (await opened(creator, "/profile/contact")).form("/contact/confirm"), {"code": code})
        give = next(one for one in page.forms if one.fields.get("purpose") == ["contact_shown"])
        assert "品牌可申请查看" in (await sent(creator, give, {})).text
    async with console.visitor("brand") as brand:
        assert path in (await opened(brand, f"/creators/{creator_id}")).links
        page = await opened(brand, path)
        assert address not in page.text
        assert address in (await sent(brand, page.form("/contact"), {"note": "a film about soap"})).text
    async with console.visitor("auditor") as auditor:
        page = await opened(auditor, path)
        assert address not in page.text
        assert not [one for one in page.forms if one.action == path]
    async with console.visitor("creator") as creator:
        assert "a film about soap" in (await opened(creator, "/profile/contact")).text


async def test_who_may_be_a_minor_puts_a_guardians_consent_on_record(console: OpenConsole) -> None:
    async with console.visitor("other-creator") as creator:
        edit = (await opened(creator, "/profile/edit")).form("/profile/edit")
        born = str(datetime.now(UTC).year - 16)
        await sent(
            creator, edit, {"display_name": "Olla", "country": "CN", "birth_year": born, "guardian_consent": "true"}
        )
        page = await opened(creator, "/profile/contact")
        assert "You take no work" in page.text
        form = page.form("/contact/guardian")
        kept = {name: values[0] for name, values in form.fields.items()} | {"guardian": "Mr Olla", "relation": "father"}
        answer = await creator.post(
            form.action,
            data=kept,
            files={"evidence_sha256": ("form.pdf", b"signed")},
            headers={"sec-fetch-site": "same-origin"},
        )
        assert "Mr Olla" in answer.text
        assert "You take no work" not in answer.text
        page = await sent(creator, (await opened(creator, "/profile/contact")).form("/guardian/withdraw"), {})
        assert "You take no work" in page.text


async def code_for(console: OpenConsole, address: str) -> str:
    """The code of the letter that arrived in the sandbox's mailbox."""
    found = ""

    async def arrived() -> bool:
        nonlocal found
        async with httpx.AsyncClient(base_url=console.layout.http("sandbox")) as world:
            letters = (await world.get(f"/mailbox/{address}")).json()
        found = letters[0]["text"][:6] if letters else ""
        return bool(found)

    await until(arrived)
    return found


@pytest.mark.parametrize(("name", "status"), [("brand", 200), ("operator", 200), ("creator", 403), ("reviewer", 200)])
async def test_who_sees_the_page_of_a_contact(console: OpenConsole, creator_id: str, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(f"/creators/{creator_id}/contact")).status_code == status
