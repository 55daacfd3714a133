"""The editor of a brief: a new campaign, a draft, an amendment. What is typed stays; fee and law stand beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from dandelion.campaigns.v1.queries_pb2 import Campaign, GetCampaignRequest, ListBriefVersionsRequest
from dandelion.common.v1.common_pb2 import CampaignType, Format, Platform
from dandelion.compliance.v1.queries_pb2 import ListRulesRequest
from dandelion.ledger.v1.queries_pb2 import ListFeePoliciesRequest
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Id, Page, SignedIn, needs
from console.pages.deals.consequence import consequence
from console.pages.deals.drafts import CLOCKS, MONEY, PAYABLE, as_typed, brief_body, rows_of, terms_body
from console.pages.deals.stale import Change, merged
from console.pages.deals.terms import TERMS
from console.pages.deals.words import CATEGORIES, FREEDOMS, GOALS, LAWS, MODES, WORDS, choices
from console.words import mark

router = APIRouter(prefix="/briefs", dependencies=[needs(*BRANDS)])
NEW = "new"
DRAFTED = mark("Saved as a draft: nobody but you sees it.")
AMENDED = mark("Saved: this is the brief now.")
STALE = "campaign.brief_changed"
RULES_COUNTED = 200
"""The most that one list tells; the packs that are shipped have fewer."""
VERSIONS = 20
"""Former versions among which the one is looked for that this person began with."""
MORE = {"deliverables": "brief.deliverables", "products": "brief.products"}
"""What a form can have one more row of."""


@router.get("/new")
async def new(page: Page) -> Response:
    return await _shown(page, NEW, None)


@router.get("/{campaign_id}")
async def edit(page: Page, campaign_id: Id) -> Response:
    return await _shown(page, campaign_id, await _asked(page, campaign_id))


@router.post("/new")
async def draft(page: Page, form: Filled) -> Response:
    """Saves a new draft under the id that the form was made with: sent twice it is one draft."""
    if "_more" in form.values:
        return await _shown(page, NEW, None, form)

    async def act() -> Response:
        campaign_id = form.first("_campaign") or str(uuid4())
        body = {"brief": brief_body(form), "terms": terms_body(form)}
        receipt = await page.send("campaigns", "PUT", f"/campaigns/{campaign_id}", form, body)
        return page.done(f"/campaigns/{campaign_id}/publish", receipt, DRAFTED)

    return await page.submit(lambda typed, problem: _shown(page, NEW, None, typed, problem), form, act)


@router.post("/{campaign_id}/consequence")
async def follows(page: Page, campaign_id: Id, form: Filled) -> Response:
    """The card alone, of what is being typed; nothing is kept."""
    found = None if campaign_id == NEW else await _asked(page, campaign_id)
    return HTMLResponse(page.part("briefs/consequence.html", **await _follows(page, found, form)))


@router.post("/{campaign_id}")
async def amend(page: Page, campaign_id: Id, form: Filled) -> Response:
    """The whole brief anew; the terms stay as they were drafted."""
    found = await _asked(page, campaign_id)
    if "_more" in form.values:
        return await _shown(page, campaign_id, found, form)

    async def act() -> Response:
        body = {"brief": brief_body(form), "brief_version": form.whole("brief_version")}
        receipt = await page.send("campaigns", "POST", f"/campaigns/{campaign_id}/amend", form, body)
        is_draft = found.status == 1
        to = f"/campaigns/{campaign_id}/publish" if is_draft else f"/campaigns/{campaign_id}/brief"
        return page.done(to, receipt, DRAFTED if is_draft else AMENDED)

    async def again(typed: Form, problem: Problem) -> Response:
        if problem.code == STALE:
            return await _merged(page, campaign_id, typed, problem)
        return await _shown(page, campaign_id, found, typed, problem)

    return await page.submit(again, form, act)


async def _merged(page: SignedIn, campaign_id: str, form: Form, problem: Problem) -> Response:
    """The form over the version in force, with what changed in it since this person began."""
    request = ListBriefVersionsRequest(campaign_id=campaign_id, page_size=VERSIONS)
    found, listed = await asyncio.gather(
        _asked(page, campaign_id), page.ask(page.services.campaigns.ListBriefVersions, request)
    )
    begun = next((one for one in listed.versions if str(one.brief.version) == form.first("brief_version")), None)
    changes: list[Change] = []
    if begun is not None:
        form, changes = merged(form, as_typed(begun, page.formats), as_typed(found, page.formats), page.words)
    form.values = {**form.values, "brief_version": [str(found.brief.version)]}
    return await _shown(page, campaign_id, found, form, problem, changes)


async def _asked(page: SignedIn, campaign_id: str) -> Campaign:
    """A campaign of the reader's organisation: an open one of others is nobody else's to write. Raises Problem."""
    request = GetCampaignRequest(campaign_id=campaign_id)
    found = (await page.ask(page.services.campaigns.GetCampaign, request)).campaign
    if found.brand_id != page.person.tenant:
        raise Problem("not_found", "page.not_found")
    return found


async def _shown(
    page: SignedIn, campaign_id: str, found: Campaign | None, form: Form = EMPTY, problem: Problem | None = None,
    changes: Sequence[Change] = (),
) -> Response:  # fmt: skip
    """The form: what was typed, else the brief as it is, else an empty one; `changes` by somebody else meanwhile."""
    values: Mapping[str, Any] = as_typed(found, page.formats) if found else {}
    counts = {name: rows_of(form, values, prefix, name == form.first("_more")) for name, prefix in MORE.items()}
    follows = await _follows(page, found, form)
    return page.show(
        "briefs/edit.html",
        campaign=found, campaign_id=campaign_id, values=values, counts=counts, form=form, **follows,
        problem=problem, changes=changes, new_id=form.first("_campaign") or str(uuid4()),
        types=choices(CampaignType), modes_=list(MODES.items()), platforms=choices(Platform), formats=choices(Format),
        objectives=list(GOALS.items()), laws_=list(LAWS.items()), freedoms_=list(FREEDOMS.items()),
        categories_=list(CATEGORIES.items()), pays=PAYABLE, money=MONEY, clocks=CLOCKS, names=TERMS, **WORDS,
    )  # fmt: skip


async def _follows(page: SignedIn, found: Campaign | None, form: Form) -> dict[str, Any]:
    """What the card beside the form shows of what stands in it; no rules are counted for a law or category that is none."""
    fee_bps = found.brief.terms.brand_fee_bps if found else await _brand_fee_bps(page)
    values = as_typed(found, page.formats) if found else {}
    follows = consequence(form, values, fee_bps)
    request = ListRulesRequest(jurisdiction=follows.law, product_category=follows.category, page_size=RULES_COUNTED)
    try:
        rules = len((await page.ask(page.services.compliance.ListRules, request)).rules)
    except Problem as problem:
        if problem.kind not in ("invalid", "not_found"):
            raise
        rules = 0
    is_draft = found is None or found.status == 1
    return {"follows": follows, "fee_bps": fee_bps, "rules": rules, "is_draft": is_draft}


async def _brand_fee_bps(page: SignedIn) -> int:
    """The platform's fee on top of each fee, by the policy in force."""
    policies = await page.ask(page.services.ledger.ListFeePolicies, ListFeePoliciesRequest())
    return policies.in_force.brand_fee_bps
