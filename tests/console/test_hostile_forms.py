"""Every form that a role is shown, filled with what nobody means well: a sentence, nothing lost, nothing executed, once."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, Dialog

from console.confirming import SURE
from tests.kit.axe import context_of, watched
from tests.kit.console import OpenConsole
from tests.kit.lively import enliven
from tests.kit.pages import PageForm, Shown, opened, sent
from tests.kit.walk import route_of, walked
from tests.kit.written import events_of

ROLES = ("brand", "creator", "agency", "reviewer", "finance", "operator", "auditor", "other-brand", "other-creator")
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
HOSTILE: Mapping[str, str] = {
    "script": SCRIPT,
    "100 kB": "x" * 100_000,
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️",
    "right to left": "\u202eمرحبا\u202c \u200b",
    "negative": "-1",
    "huge": "9" * 400,
    "exponent": "1e309",
    "an id of others": "0b7f3c7e-5d0a-5c1e-8f43-2b6d0c9b7a10",
    "nothing": "",
    "control": "a\x01b\x7f",
    "an address": "javascript:alert(3)",
}
ASKED: Mapping[str, Mapping[str, str]] = {
    "/money/deposit": {"amount_minor": "12", "instrument": "tok_visa"},
    "/money/payout": {"amount_minor": "12"},
    "/money/account": {"account": "tok_account"},
    "/money/refund": {"amount_minor": "1"},
    "/finance/proposals/{proposal_id}/{verb}": {"reason": "As it was agreed by mail"},
    "/finance/fees/{policy_id}/{verb}": {"reason": "As it was agreed by mail"},
    "/disputes/{collaboration_id}": {"outcome": "settle"},
    "/profile/erasure": {},
    "/erasures/{subject_id}/erase": {"reason": "request.subject"},
    "/erasures/{subject_id}/decline-erasure": {"reason": "request.subject"},
    "/planner/weights/adopt": {"reason": "As it was agreed by mail"},
}
"""What is typed, by route, to come to the page that asks whether one is sure.

That of the API's documentation is the same (confirming.py); the walk comes to queries there, which ask nothing.
"""
NOBODY = "0b7f3c7e-5d0a-5c1e-8f43-2b6d0c9b7a11"
"""Who asked to be erased, and is not there."""
ANSWER = "/reject"
"""What a row is answered by, once: its form is gone afterwards."""
TRIES, AGAIN_S = 20, 0.5
CONFIRMED: set[str] = set()
"""Routes to whose such page a role came."""


@pytest.fixture(scope="module")
async def lively(console: OpenConsole) -> OpenConsole:
    """With a dispute, and with what waits for the second person of finance."""
    await enliven(console)
    async with console.visitor("second") as second:
        fees = {"since": "2031-01-01T00:00", "brand_fee_bps": "10", "creator_fee_bps": "1"}
        for path, ending, typed in (
            ("/finance/proposals", "/own-money", {"own_minor": "12"}),
            ("/finance/fees", "/finance/fees", fees),
        ):
            done = await sent(second, (await opened(second, path)).form(ending), typed)
            assert done.answer.status_code == 200, done.text
    async with console.visitor("operator") as operator:
        done = await sent(operator, (await opened(operator, "/erasures")).form("/erasures"), {"subject_id": NOBODY})
        assert done.answer.status_code == 200, done.text
    return console


@pytest.fixture(scope="module", params=ROLES)
async def forms(lively: OpenConsole, request: pytest.FixtureRequest) -> tuple[str, list[PageForm]]:
    """A role, and one form of each kind that its pages show."""
    shown = (form for page in await walked(lively, request.param, "en") for form in page.forms)
    found = list({_kind(form): form for form in shown if _is_tried(form)}.values())
    return request.param, [*found, *[form async for form in _sure(lively, request.param, found)]]


async def _sure(console: OpenConsole, role: str, forms: Sequence[PageForm]) -> AsyncIterator[PageForm]:
    """The forms of the pages that ask once more before they do what these forms say."""
    async with console.visitor(role) as client:
        for form in forms:
            typed = ASKED.get(route_of(urlsplit(form.action).path, "POST"))
            if typed is None:
                continue
            asks = await sent(client, form, typed)
            sure = [one for one in asks.forms if SURE in one.fields]
            CONFIRMED.update(route_of(urlsplit(one.action).path, "POST") for one in sure)
            for one in sure:
                yield one


def _kind(form: PageForm) -> tuple[str, frozenset[str]]:
    return route_of(urlsplit(form.action).path, "POST"), frozenset(form.fields)


def _is_tried(form: PageForm) -> bool:
    """Not those of the frame: the way to read, and the end of the session."""
    return bool(route_of(urlsplit(form.action).path, "POST"))


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(
    console: OpenConsole, forms: tuple[str, list[PageForm]], kind: str
) -> None:
    role, found = forms[0], []
    async with console.visitor(role) as client:
        for form in forms[1]:
            typed = {name: HOSTILE[kind] for name in form.fields if name not in ("_form", "_key")}
            shown = await taken(client, form, typed)
            found += [f"{form.action}: {wrong}" for wrong in _wrong(form, shown, typed)]
    assert not found, "\n" + "\n".join(found)


async def taken(client: httpx.AsyncClient, form: PageForm, typed: Mapping[str, str]) -> Shown:
    """The answer to a form, sent again where this test sends more than the services take of one organisation in a second."""
    for _ in range(TRIES):
        shown = await sent(client, form, {**typed, "_key": str(uuid4())})
        if shown.answer.status_code != 429:
            break
        await asyncio.sleep(AGAIN_S)
    return shown


def _wrong(form: PageForm, shown: Shown, typed: Mapping[str, str]) -> Iterator[str]:
    status, text = shown.answer.status_code, shown.answer.text
    if status >= 500:
        yield f"{status}"
    if SCRIPT in text or "<script>alert" in text or 'href="javascript:' in text:
        yield "what was typed stands in the page as markup"
    if 400 <= status < 500:
        if 'role="alert"' not in text:
            yield f"{status} without a sentence"
        lost = [name for name in typed if name in form.typed and not _is_kept(shown, name, typed[name])]
        if form.action.endswith(ANSWER) and form.action not in [one.action for one in shown.forms]:
            lost = []  # an earlier text of this test was a reason: what it rejected waits no more
        if lost:
            yield f"{status} and lost: {', '.join(lost)}"


def _is_kept(shown: Shown, name: str, value: str) -> bool:
    held = [one for form in shown.forms for one in form.fields.get(name, ())]
    return _plain(value) in [_plain(one) for one in held]


def _plain(value: str) -> str:
    """Without what browsers and HTTP make of line ends and blanks."""
    return "\n".join(value.split())


async def test_a_form_sent_twice_is_one_command(console: OpenConsole, forms: tuple[str, list[PageForm]]) -> None:
    role, found = forms[0], []
    name = console.cast[role].name
    async with console.visitor(role) as client:
        for form in forms[1]:
            texts = {field: "Rain, and a note that is long enough" for field in form.typed if not form.fields[field][0]}
            filled = {**texts, "_key": str(uuid4())}
            first = await sent(client, form, filled)
            before = events_of(console.layout, [name])
            second = await sent(client, form, filled)
            if events_of(console.layout, [name]) != before:
                found.append(f"{form.action}: another command")
            if (first.answer.status_code < 400) != (second.answer.status_code < 400):
                found.append(f"{form.action}: {first.answer.status_code}, then {second.answer.status_code}")
    assert not found, "\n" + "\n".join(found)


def test_the_pages_that_ask_were_tried(forms: tuple[str, list[PageForm]]) -> None:
    """Once all roles were."""
    if forms[0] == ROLES[-1]:
        assert set(ASKED) - CONFIRMED == set()


async def test_nothing_that_was_typed_is_executed(console: OpenConsole, browser: Browser) -> None:
    """Pages that show it now, opened in a browser: no dialog, and no script that the content policy had to stop."""
    found: list[str] = []
    for role in ROLES:
        showing = [one async for one in _showing(console, role)]
        async with context_of(browser, console, role) as context:
            page = await watched(context, console)
            page.page.on("dialog", partial(_on_dialog, found))
            for address in showing:
                page.complaints.clear()
                await page.opened(address)
                found += [f"{role} {address}: {one}" for one in page.complaints]
    assert not found, "\n" + "\n".join(found)


async def _showing(console: OpenConsole, role: str) -> AsyncIterator[str]:
    async with console.visitor(role) as client:
        for page in await walked(console, role, "en"):
            if page.is_page and "alert(1)" in (await opened(client, page.address)).answer.text:
                yield page.address


async def _on_dialog(found: list[str], dialog: Dialog) -> None:
    found.append(f"a dialog: {dialog.message}")
    await dialog.dismiss()
