"""The stand-in for an identity provider: PKCE, one use of a code, rotating refresh tokens, sign-out, bounds."""

import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest

from cli.layout import ROOT, Layout, Ports
from cli.story.plan import BRANDS
from kernel.core.faults import Unauthenticated
from kernel.core.ids import new_id
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.identity import flows, people
from sandbox.identity.settings import IdentitySettings
from tests.kit.identity import BACK, CONSOLE, URL, provider, refused, told
from tests.kit.issuing import Hand

FORM = "application/x-www-form-urlencoded"


async def test_the_documents_name_everything_that_a_client_needs(tmp_path: Path) -> None:
    async with provider(tmp_path) as browser:
        document = (await browser.http.get("/.well-known/openid-configuration")).json()
        assert document["issuer"] == URL
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["authorization_response_iss_parameter_supported"] is True
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "end_session_endpoint",
            "revocation_endpoint",
        ):
            assert document[name].startswith(f"{URL}/")
        assert (await browser.http.get(document["jwks_uri"])).json()["keys"][0]["alg"] == "EdDSA"


async def test_a_person_signs_in_and_services_believe_the_token(tmp_path: Path) -> None:
    async with provider(tmp_path) as browser:
        back = await browser.chosen("bella")
        assert (back["state"], back["iss"]) == ("s-1", URL)
        tokens = (await browser.exchanged(back["code"])).json()
    jwks = str(tmp_path / "issuer" / "jwks.json")
    actor = await Verifier(jwks, URL, "dandelion").verify(tokens["access_token"])
    assert (actor.id, actor.tenant, actor.roles) == ("bella", BRANDS["bella"].tenant, frozenset({"brand"}))
    with pytest.raises(Unauthenticated, match="type_not_allowed"):
        await Verifier(jwks, URL, "console").verify(tokens["id_token"])
    known = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert {name: known[name] for name in ("iss", "aud", "sub", "nonce")} == {
        "iss": URL, "aud": "console", "sub": "bella", "nonce": "n-1",
    }  # fmt: skip
    assert tokens["expires_in"] == 900


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"request_uri": "https://elsewhere.test/r"}, "request_not_supported"),
        ({"nonce": "n" * 201}, "invalid_request"),
    ],
)
async def test_the_client_hears_what_is_wrong_with_its_request(
    tmp_path: Path, changes: dict[str, str | None], error: str
) -> None:
    async with provider(tmp_path) as browser:
        asked = browser.asked(**changes)
        assert told(await browser.http.get("/authorize", params=asked))["error"] == error
        heard = await browser.chosen(asked=asked)
        assert (heard["error"], heard["state"], heard["iss"]) == (error, "s-1", URL)
        assert "code" not in heard


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://elsewhere.test/"}, {"redirect_uri": f"{BACK}/"}, {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": None}, {"client_id": "another"}, {"client_id": None},
    ],
)  # fmt: skip
async def test_nothing_is_sent_to_an_address_that_is_not_registered(
    tmp_path: Path, changes: dict[str, str | None]
) -> None:
    async with provider(tmp_path) as browser:
        for answer in (
            await browser.http.get("/authorize", params=browser.asked(**changes)),
            await browser.http.post("/authorize", data={**browser.asked(**changes), "person": "bella"}),
        ):
            assert (answer.status_code, "location" in answer.headers) == (400, False)
            assert "elsewhere" not in answer.text


@pytest.mark.parametrize("changes", [
    {"code_verifier": "x" * 64}, {"code_verifier": ""}, {"redirect_uri": "https://elsewhere.test/"}, {"code": "unknown"},
])  # fmt: skip
async def test_a_code_needs_its_verifier_and_its_address(tmp_path: Path, changes: dict[str, str]) -> None:
    async with provider(tmp_path) as browser:
        code = (await browser.chosen())["code"]
        assert refused(await browser.exchanged(**{"code": code, **changes})) == "invalid_grant"
        assert refused(await browser.exchanged(code, client_id="another")) == "invalid_client"


async def test_a_code_is_good_for_a_minute_and_one_exchange_and_ends_what_it_gave_when_it_comes_again(
    tmp_path: Path,
) -> None:
    clock = Hand()
    async with provider(tmp_path, clock) as browser:
        late = (await browser.chosen())["code"]
        clock.forward(flows.CODE_S + 1)
        assert refused(await browser.exchanged(late)) == "invalid_grant"
        code = (await browser.chosen())["code"]
        tokens = (await browser.exchanged(code)).json()
        assert refused(await browser.exchanged(code)) == "invalid_grant"
        assert refused(await browser.refreshed(tokens["refresh_token"])) == "invalid_grant"


async def test_refresh_tokens_rotate_and_the_second_use_of_one_ends_the_family(tmp_path: Path) -> None:
    async with provider(tmp_path) as browser:
        first = (await browser.signed_in())["refresh_token"]
        second = (await browser.refreshed(first)).json()
        assert second["refresh_token"] != first
        known = jwt.decode(second["id_token"], options={"verify_signature": False})
        assert (known["sub"], "nonce" in known) == ("bella", False)
        third = (await browser.refreshed(second["refresh_token"])).json()
        assert refused(await browser.refreshed(first)) == "invalid_grant"
        assert refused(await browser.refreshed(third["refresh_token"])) == "invalid_grant"


async def test_a_sign_in_ends_after_its_time_however_often_it_is_refreshed(tmp_path: Path) -> None:
    clock = Hand()
    async with provider(tmp_path, clock, session_s=100) as browser:
        token = (await browser.signed_in())["refresh_token"]
        clock.forward(60)
        token = (await browser.refreshed(token)).json()["refresh_token"]
        clock.forward(60)
        assert refused(await browser.refreshed(token)) == "invalid_grant"


async def test_sign_out_and_revocation_end_the_family(tmp_path: Path) -> None:
    async with provider(tmp_path) as browser:
        tokens = await browser.signed_in()
        out = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{CONSOLE}/", "state": "s"}
        answer = await browser.http.get("/end_session", params=out)
        assert (answer.status_code, urlsplit(answer.headers["location"]).netloc) == (303, urlsplit(CONSOLE).netloc)
        assert refused(await browser.refreshed(tokens["refresh_token"])) == "invalid_grant"
        again = (await browser.signed_in())["refresh_token"]
        assert refused(await browser.http.post("/revoke", data={"token": again})) == "invalid_client"
        assert (await browser.http.post("/revoke", data={"token": again, "client_id": "console"})).status_code == 200
        assert refused(await browser.refreshed(again)) == "invalid_grant"


async def test_sign_out_leads_nowhere_else_and_another_s_hint_ends_nothing(tmp_path: Path) -> None:
    async with provider(tmp_path) as browser:
        tokens = await browser.signed_in()
        sid = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sid"]
        forged = Issuer.at(tmp_path / "other", URL, "console").sign({"sid": sid, "aud": "console"}, 60, "JWT")
        out = {"id_token_hint": forged, "post_logout_redirect_uri": "https://elsewhere.test/"}
        answer = await browser.http.post("/end_session", data=out)
        assert (answer.status_code, "location" in answer.headers) == (200, False)
        assert (await browser.http.post("/revoke", data={"token": sid, "client_id": "console"})).status_code == 200
        assert (await browser.refreshed(tokens["refresh_token"])).status_code == 200


async def test_what_was_begun_and_who_was_made_up_outlive_the_process_and_no_token_lies_on_the_disk(
    tmp_path: Path,
) -> None:
    store, party = tmp_path / "identity.db", new_id()
    async with provider(tmp_path, store=store) as browser:
        made = await browser.http.post(
            "/authorize", data={**browser.asked(), "role": "creator", "party": party, "name": "zoe"}
        )
        tokens = (await browser.exchanged(told(made)["code"])).json()
    with sqlite3.connect(store) as kept:
        assert tokens["refresh_token"] not in str(kept.execute("SELECT value FROM kept").fetchall())
    kept.close()
    async with provider(tmp_path, store=store) as browser:
        again = (await browser.refreshed(tokens["refresh_token"])).json()
        claims = jwt.decode(again["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["tenant"], claims["roles"]) == ("zoe", party, ["creator"])
        assert "zoe" in (await browser.http.get("/authorize", params=browser.asked())).text


async def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "FAMILIES_LIMIT", 2)
    monkeypatch.setattr(flows, "CODES_LIMIT", 2)
    monkeypatch.setattr(people, "MADE_UP_LIMIT", 2)
    async with provider(tmp_path, store=tmp_path / "identity.db") as browser:
        tokens = [await browser.signed_in() for _ in range(3)]
        assert refused(await browser.refreshed(tokens[0]["refresh_token"])) == "invalid_grant"
        codes = [(await browser.chosen())["code"] for _ in range(3)]
        assert refused(await browser.exchanged(codes[0])) == "invalid_grant"
        for name in ("xan", "xen", "xin"):
            await browser.http.post(
                "/authorize", data={**browser.asked(), "role": "brand", "party": new_id(), "name": name}
            )
        page = (await browser.http.get("/authorize", params=browser.asked())).text
        assert ["xan" in page, "xen" in page, "xin" in page] == [False, True, True]


@pytest.mark.parametrize(("content", "kind"), [
    (b"a=1&a=2", FORM), (b"x=" + b"y" * 40_000, FORM), (b"&".join(b"a%d=1" % n for n in range(60)), FORM),
    (b"{}", "application/json"), (b"a=%ff", FORM),
])  # fmt: skip
async def test_a_body_that_cannot_be_is_refused(tmp_path: Path, content: bytes, kind: str) -> None:
    async with provider(tmp_path) as browser:
        for path in ("/token", "/authorize", "/revoke", "/end_session"):
            answer = await browser.http.post(path, content=content, headers={"content-type": kind})
            assert refused(answer) == "invalid_request"


def test_a_local_platform_s_tokens_are_its_provider_s(tmp_path: Path) -> None:
    numbers = iter(range(15_000, 16_000))
    layout = Layout.at(tmp_path / "platform", Ports.free(lambda: next(numbers)))
    settings = IdentitySettings.model_validate(layout.identity())
    claims = jwt.decode(layout.issuer().issue("ann", "acme", "brand"), options={"verify_signature": False})
    assert claims["iss"] == settings.url == layout.settings("ledger")["token_issuer"]
    assert settings.key_file.exists()
    assert (settings.port, settings.url) == (layout.ports.identity, layout.http("identity"))


def test_its_settings_stand_in_the_docs() -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()
    for name, field in IdentitySettings.model_fields.items():
        shown = "" if field.default is None else f"`{field.default}`"
        assert f"| `IDENTITY_{name.upper()}` | {shown} | {field.description} |".replace("|  |", "| |") in page
