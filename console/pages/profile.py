"""A creator's own page: what it shows, and the forms of profile, accounts, rate card and availability."""

from collections.abc import Mapping, Sequence
from typing import Any

from dandelion.common.v1.common_pb2 import Format, Platform
from dandelion.discovery.v1.events_pb2 import Gender, Rate
from dandelion.discovery.v1.queries_pb2 import Creator, GetCreatorRequest
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import CREATORS
from console.page import Page, SignedIn, needs
from console.pages.contacts import proofs_of
from console.pages.creators import show_creator
from console.words import mark
from console.words.enums import label

router = APIRouter(prefix="/profile", dependencies=[needs(*CREATORS)])
FORMATS = [value for value in Format.DESCRIPTOR.values if value.number]
LISTS = ("categories", "tags", "languages", "examples")
TEXTS = ("display_name", "bio", "contact", "country", "province", "city", "agency_id", "virtual_operator")
NO_PRICE_LINE = mark("Write one industry in a line, with a colon and the price: 美妆: 1200")
CURRENCIES = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "SGD", "KRW", "THB", "IDR")


@router.get("")
async def profile(page: Page) -> Response:
    """The page as brands see it; who is not here yet comes to the form."""
    if await _known(page) is None:
        return RedirectResponse("/profile/edit", 303)
    return await show_creator(page, page.person.tenant)


async def _known(page: SignedIn) -> Creator | None:
    request = GetCreatorRequest(creator_id=page.person.tenant)
    try:
        return (await page.ask(page.services.discovery.GetCreator, request)).creator
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


async def _form(page: SignedIn, part: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    """One of the forms; `part` names its template."""
    creator = await _known(page)
    return page.show(
        f"profile/{part}.html",
        part=part,
        creator=creator or Creator(),
        is_new=creator is None,
        platforms=_choices(page, Platform.DESCRIPTOR),
        genders=_choices(page, Gender.DESCRIPTOR),
        formats=[(_word(value), page.words(label(Format.DESCRIPTOR, value.number)), value.number) for value in FORMATS],
        currencies=[(one, one) for one in CURRENCIES],
        rate_of={one.format: one for one in creator.rates} if creator else {},
        no_rate=Rate(),
        industries={one.format: _lines(page, one, creator.currency) for one in creator.rates} if creator else {},
        words_of={value.number: _word(value) for value in Platform.DESCRIPTOR.values if value.number},
        proofs=await proofs_of(page, page.person.tenant) if part == "accounts" and creator else {},
        form=form,
        problem=problem,
    )


def _lines(page: SignedIn, rate: Rate, currency: str) -> str:
    prices = rate.industry_prices
    return "\n".join(f"{one.industry}: {page.formats.amount(one.price_minor, currency)}" for one in prices)


def _choices(page: SignedIn, enum: Any) -> list[tuple[str, str]]:
    return [(_word(value), page.words(label(enum, value.number))) for value in enum.values if value.number]


def _word(value: Any) -> str:
    """The word of an enum's value, as commands take it: PLATFORM_DOUYIN is "douyin"."""
    prefix: str = value.type.values[0].name.removesuffix("UNSPECIFIED")
    return str(value.name.removeprefix(prefix).lower())


@router.get("/edit")
async def edit(page: Page) -> Response:
    return await _form(page, "edit")


@router.get("/accounts")
async def accounts(page: Page) -> Response:
    return await _form(page, "accounts")


@router.get("/rate-card")
async def rate_card(page: Page) -> Response:
    return await _form(page, "rates")


@router.get("/availability")
async def availability(page: Page) -> Response:
    return await _form(page, "availability")


@router.post("/edit")
async def change(page: Page, form: Filled) -> Response:
    """Registers who is new, and replaces the profile of who is not."""
    me = page.person.tenant

    async def act() -> Response:
        told = _profile(form)
        if await _known(page) is None:
            body = {"profile": told, "accounts": []}
            receipt = await page.send("discovery", "PUT", f"/creators/{me}", form, body)
            return page.done("/profile/accounts", receipt, mark("You are here. Link your accounts next."))
        receipt = await page.send("discovery", "POST", f"/creators/{me}/profile", form, told)
        return page.done("/profile", receipt, mark("Your profile is changed."))

    return await page.submit(lambda typed, problem: _form(page, "edit", typed, problem), form, act)


def _profile(form: Form) -> dict[str, Any]:
    told: dict[str, Any] = {name: form.text(name) for name in TEXTS}
    told |= {name: form.many(name) for name in LISTS}
    told["display_name"] = form.needed("display_name")
    told["country"] = told["country"].upper()
    told["birth_year"] = form.whole("birth_year") if form.text("birth_year") else None
    told["gender"] = form.text("gender") or "undisclosed"
    told |= {name: form.is_set(name) for name in ("virtual_human", "guardian_consent")}
    form.check()
    return told


@router.post("/accounts")
async def link(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        body = {"platform": form.needed("platform"), "handle": form.needed("handle")}
        receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/accounts", form, body)
        return page.done("/profile/accounts", receipt, mark("Linked. Prove that it is yours by a code in its bio."))

    return await page.submit(lambda typed, problem: _form(page, "accounts", typed, problem), form, act)


@router.post("/rate-card")
async def price(page: Page, form: Filled) -> Response:
    """Replaces the whole card; a format without a price is not offered."""

    async def act() -> Response:
        body, places = _card(form, page.zone)
        try:
            receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/rate-card", form, body)
        except Problem as problem:
            raise Problem(problem.kind, problem.code, problem.facts, _placed(problem.fields, places)) from problem
        return page.done("/profile", receipt, mark("Your prices are changed. Offers made before keep theirs."))

    return await page.submit(lambda typed, problem: _form(page, "rates", typed, problem), form, act)


def _card(form: Form, zone: str) -> tuple[dict[str, Any], list[int]]:
    """The command's body, and of each price in it the place of its fields in the form."""
    currency = form.needed("currency").upper()
    prices, places = [], []
    for place, value in enumerate(FORMATS):
        name = f"prices.{place}"
        if form.text(f"{name}.price_minor"):
            priced: dict[str, Any] = {
                "format": _word(value),
                "price_minor": form.minor(f"{name}.price_minor", currency),
                "industries": _industries(form, f"{name}.industries", currency),
            }
            if form.text(f"{name}.next_minor") or form.text(f"{name}.next_from"):
                priced["next_minor"] = form.minor(f"{name}.next_minor", currency)
                priced["next_from"] = form.moment(f"{name}.next_from", zone)
            prices.append(priced)
            places.append(place)
    closed = [_word(value) for place, value in enumerate(FORMATS) if form.is_set(f"prices.{place}.closed")]
    commission = form.basis_points("commission_bps") if form.text("commission_bps") else None
    form.check()
    return {"currency": currency, "prices": prices, "closed": closed, "commission_bps": commission}, places


def _industries(form: Form, name: str, currency: str) -> list[dict[str, Any]]:
    """Lines of `industry: price`."""
    found = []
    for line in form.many(name):
        industry, _, amount = line.replace("：", ":").rpartition(":")
        one = Form({"amount": [amount]})
        minor = one.minor("amount", currency)
        if one.wrong or not industry.strip():
            form.wrong.setdefault(name, NO_PRICE_LINE)
        found.append({"industry": industry.strip(), "price_minor": minor})
    return found


def _placed(fields: Mapping[str, str], places: Sequence[int]) -> dict[str, str]:
    """What is wrong with the third price of the body stands at the fields of its format."""
    told = {}
    for name, sentence in fields.items():
        parts = name.split(".")
        if parts[0] == "prices" and len(parts) > 2 and parts[1].isdigit() and int(parts[1]) < len(places):
            name = ".".join(["prices", str(places[int(parts[1])]), parts[2]])
        told[name] = sentence
    return told


@router.post("/availability")
async def open_or_close(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        body = {"availability": form.needed("availability"), "max_parallel_jobs": form.whole("max_parallel_jobs")}
        receipt = await page.send("discovery", "POST", f"/creators/{page.person.tenant}/availability", form, body)
        return page.done("/profile", receipt, mark("Brands see it from now on."))

    return await page.submit(lambda typed, problem: _form(page, "availability", typed, problem), form, act)
