"""Rule packs: the rules of a day with law and examples, what changes when, and a text tried on them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from dandelion.common.v1.common_pb2 import Platform
from dandelion.compliance.v1.events_pb2 import Finding, Severity
from dandelion.compliance.v1.queries_pb2 import (
    ListRuleChangesRequest,
    ListRulePacksRequest,
    ListRulesRequest,
    Rule,
    RulePack,
)
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.findings import pieces, told
from console.page import Cursor, Page, SignedIn
from console.pages.reviews import rules_of
from console.words.enums import label
from console.words.goods import GOODS, LAWS

router = APIRouter(prefix="/rules")
SHOWN = 100
JURISDICTIONS = ("CN", "US", "UK", "EU", "FR")
Short = Annotated[str, Query(max_length=64)]
PLATFORMS = [(name.removeprefix("PLATFORM_").lower(), n) for name, n in Platform.items() if n]
NONE: Mapping[str, Rule] = {}


@router.get("")
async def rules(
    page: Page, jurisdiction: Short = "CN", on: Short = "", category: Short = "", cursor: Cursor = ""
) -> Response:
    day = on if _is_day(on) else ""
    request = ListRulesRequest(
        jurisdiction=jurisdiction, on_day=day, product_category=category, page_size=SHOWN, page_token=cursor
    )
    packs = await _packs(page, jurisdiction)
    answer = await page.ask(page.services.compliance.ListRules, request)
    pack = next((one for one in packs if _covers(one, day)), None)
    return page.show(
        "rules/rules.html", rules=answer.rules, info=answer.page, packs=packs, pack=pack, jurisdiction=jurisdiction,
        day=day, category=category, jurisdictions=JURISDICTIONS, lang=page.lang[:2],
    )  # fmt: skip


@router.get("/changes")
async def changes(page: Page, jurisdiction: Short = "CN", since: Short = "", cursor: Cursor = "") -> Response:
    request = ListRuleChangesRequest(
        jurisdiction=jurisdiction, since=since if _is_day(since) else "", order_by="day desc", page_size=SHOWN,
        page_token=cursor,
    )  # fmt: skip
    answer = await page.ask(page.services.compliance.ListRuleChanges, request)
    return page.show(
        "rules/changes.html", changes=answer.changes, info=answer.page, jurisdiction=jurisdiction, since=request.since,
        jurisdictions=JURISDICTIONS, lang=page.lang[:2],
    )  # fmt: skip


@router.get("/try")
async def begin(page: Page) -> Response:
    return _tried(page)


@router.post("/try")
async def judged(page: Page, form: Filled) -> Response:
    """What a review would say of the text today; nothing is stored."""

    async def act() -> Response:
        place = form.text("jurisdiction")
        body = {
            "title": form.text("title"), "text": form.needed("text"), "jurisdiction": place,
            "platform": form.text("platform"), "product_category": form.text("product_category"),
            "tags": [tag.lstrip("#") for tag in form.text("tags").split()],
            "compensation": "none" if form.is_set("unpaid") else "",
        }  # fmt: skip
        form.check()
        answer = await page.services.send("compliance", "POST", "/checks", page.person.token, json=body)
        return _tried(page, form, None, answer, await rules_of(page, place))

    async def again(typed: Form, problem: Problem) -> Response:
        return _tried(page, typed, problem)

    return await page.submit(again, form, act)


def _tried(
    page: SignedIn,
    form: Form = EMPTY,
    problem: Problem | None = None,
    answer: Any = None,
    rules: Mapping[str, Rule] = NONE,
) -> Response:
    found = [_finding(one) for one in answer["findings"]] if answer else []
    said = [(one, told(one, rules, page.lang)) for one in found]
    parts = pieces(form.text("text"), "text", found) if answer else []
    title = pieces(form.text("title"), "title", found) if answer else []
    return page.show(
        "rules/try.html", form=form, problem=problem, answer=answer, findings=said, parts=parts, title_parts=title,
        platforms=[(word, page.words(label(Platform.DESCRIPTOR, n))) for word, n in PLATFORMS],
        jurisdictions=[(code, page.words(LAWS[code])) for code in JURISDICTIONS],
        categories=[("", ""), *((name, page.words(told)) for name, told in GOODS.items())],
    )  # fmt: skip


def _finding(judged: Mapping[str, Any]) -> Finding:
    """A finding of POST /checks as the message that queries answer with."""
    return Finding(
        rule_id=judged["rule_id"], law=f"{judged['law']} {judged['article']}".strip(), jurisdiction=judged["jurisdiction"],
        severity=Severity.Value(f"SEVERITY_{judged['severity'].upper()}"), field=judged["part"], span_start=judged["start"],
        span_end=judged["end"], excerpt=judged["excerpt"], reason=judged["why"], suggestion=judged["fix"],
    )  # fmt: skip


async def _packs(page: SignedIn, jurisdiction: str) -> list[RulePack]:
    answer = await page.ask(
        page.services.compliance.ListRulePacks, ListRulePacksRequest(jurisdiction=jurisdiction, page_size=50)
    )
    return list(answer.rule_packs)


def _covers(pack: RulePack, day: str) -> bool:
    return pack.in_force if not day else pack.valid_from <= day and (not pack.valid_to or day < pack.valid_to)


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
