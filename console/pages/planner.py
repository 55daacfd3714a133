"""The planner: the mix of creators that brings most for a budget, and creators ranked for a brief."""

from collections.abc import Iterable, Mapping
from typing import Any

from dandelion.campaigns.v1.queries_pb2 import (
    CAMPAIGN_STATUS_PUBLISHED,
    Campaign,
    ListCampaignsRequest,
)
from dandelion.common.v1.common_pb2 import Format, Platform, Tier
from dandelion.discovery.v1.matching_pb2 import MatchBrief
from dandelion.discovery.v1.mix_pb2 import (
    MIX_QUOTA_KIND_CATEGORY,
    MIX_QUOTA_KIND_PLACE,
    MIX_QUOTA_KIND_TIER,
    MixGoal,
    MixQuota,
    PlanMixResponse,
)
from dandelion.discovery.v1.queries_pb2 import (
    MatchCreatorsRequest,
    PlanMixRequest,
    SearchCreatorsRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import Form
from console.look import weighing
from console.look.charts import Chart, Series, lines
from console.look.menu import BRANDS, STAFF
from console.page import Page, SignedIn, needs
from console.pages import finding
from console.words import mark
from console.words.enums import label

router = APIRouter(prefix="/planner", dependencies=[needs(*BRANDS, *STAFF)])
CAMPAIGNS_SHOWN = 100
TIERS = ("head", "mid", "koc", "nano")
GOALS = {
    "reads": mark("Reads"),
    "exposures": mark("Exposures"),
    "engagements": mark("Engagements"),
    "sales": mark("Orders"),
    "reach": mark("People reached"),
}
OBJECTIVES = {"exposure": "exposures", "reads": "reads", "engagement": "engagements", "sales": "sales"}
"""A brief's objective as a goal."""
CHOSEN, CHOSEN_LIMIT = ("must", "never"), 200
LINES = {"categories": MIX_QUOTA_KIND_CATEGORY, "places": MIX_QUOTA_KIND_PLACE}
"""Fields of lines such as `美妆 2 10`: at least, at most so many creators."""


@router.get("")
async def mix(page: Page) -> Response:
    """The form, and the plan once a budget was given."""
    form, plan, problem = _typed(page), None, None
    if form.text("budget"):
        try:
            plan = await page.ask(page.services.discovery.PlanMix, _mix(form))
        except Problem as refused:
            if refused.kind == "unauthenticated":
                raise
            problem = refused
    named = {one.creator_id for one in (*plan.picks, *plan.next_in_line)} if plan else set()
    chosen = {field: _chosen(form, field) for field in CHOSEN}
    return page.show(
        "planner/mix.html",
        problem.status if problem else 200,
        names=await page.creators(sorted(named.union(*chosen.values()))),
        chosen=chosen,
        plan=plan,
        currency=form.text("currency").upper() or "CNY",
        goals=_goals(page, GOALS),
        formats=_formats(page),
        tiers=[(one, page.words(label(Tier.DESCRIPTOR, Tier.Value(f"TIER_{one.upper()}")))) for one in TIERS],
        platforms=_platforms(page),
        frontier=_frontier(page, plan, form) if plan and plan.frontier else None,
        weighing=weighing,
        form=form,
        problem=problem,
    )


def _chosen(form: Form, field: str) -> list[str]:
    """Ids of the creators who were put in or left out, each once."""
    return list(dict.fromkeys(form.many(field)))[:CHOSEN_LIMIT]


def _typed(page: SignedIn) -> Form:
    query = page.request.query_params
    return Form({name: query.getlist(name) for name in query})


def _mix(form: Form) -> PlanMixRequest:
    """Raises the Problem of what cannot be read."""
    currency = form.text("currency").upper() or "CNY"
    asked = PlanMixRequest(
        search=_search(form),
        goal=_goal(form.text("goal")),
        format=_format(form),
        currency=currency,
        budget_minor=form.minor("budget", currency),
        creators_min=form.whole("creators_min", 0),
        creators_max=form.whole("creators_max", 0),
        quotas=[*_tier_quotas(form), *_line_quotas(form)],
        authenticity_min=form.whole("authenticity_min", 0),
        must=_chosen(form, "must"),
        never=_chosen(form, "never"),
        with_frontier=True,
    )
    form.check()
    return asked


def _search(form: Form) -> SearchCreatorsRequest:
    platforms = [Platform.Value(one) for one in form.many("platforms") if one in Platform.keys()]  # noqa: SIM118
    return SearchCreatorsRequest(
        text=form.text("text"), platforms=platforms, exclude_worked_for=finding.rivals_of(form)
    )


def _goal(name: str) -> Any:
    return MixGoal.Value(f"MIX_GOAL_{(name if name in GOALS else 'reads').upper()}")


def _format(form: Form) -> Any:
    known = Format.DESCRIPTOR.values_by_name.get(form.text("format"))
    return known.number if known and known.number else Format.Value("FORMAT_VIDEO")


def _tier_quotas(form: Form) -> Iterable[MixQuota]:
    for tier in TIERS:
        least, most = form.whole(f"{tier}_min", 0), form.whole(f"{tier}_max", 0)
        share = form.basis_points(f"{tier}_share", 0)
        if least or most or share:
            yield MixQuota(
                kind=MIX_QUOTA_KIND_TIER, value=tier, creators_min=least, creators_max=most, spend_max_bps=share
            )


def _line_quotas(form: Form) -> Iterable[MixQuota]:
    """One from each line: a name, at least, at most."""
    for field, kind in LINES.items():
        for line in form.many(field):
            name, *numbers = line.split()
            if len(numbers) > 2 or not all(one.isdecimal() and len(one) <= 3 for one in numbers) or not numbers:
                form.wrong.setdefault(
                    field, mark("Please write a name and one or two numbers in each line: at least, at most.")
                )
                continue
            most = int(numbers[1]) if len(numbers) > 1 else 0
            yield MixQuota(kind=kind, value=name, creators_min=int(numbers[0]), creators_max=most)


def _goals(page: SignedIn, names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, page.words(told)) for name, told in names.items()]


def _formats(page: SignedIn) -> list[tuple[str, str]]:
    values = sorted(Format.DESCRIPTOR.values, key=lambda one: one.name != "FORMAT_VIDEO")
    return [(one.name, page.words(label(Format.DESCRIPTOR, one.number))) for one in values if one.number]


def _platforms(page: SignedIn) -> list[tuple[str, str]]:
    return [
        (one.name, page.words(label(Platform.DESCRIPTOR, one.number)))
        for one in Platform.DESCRIPTOR.values
        if one.number
    ]


def _frontier(page: SignedIn, plan: PlanMixResponse, form: Form) -> Chart:
    """What other budgets would bring, below what no set can exceed."""
    currency = form.text("currency").upper() or "CNY"
    goal = page.words(GOALS.get(form.text("goal"), GOALS["reads"]))
    title = page.words(mark("What other budgets would bring"))
    places = [page.formats.money(one.budget_minor, currency) for one in plan.frontier]
    series = [
        Series(page.words(mark("At least")), [one.outcome for one in plan.frontier]),
        Series(page.words(mark("At most")), [one.bound for one in plan.frontier]),
    ]
    return lines(title, page.words(mark("Budget")), places, series, goal, page.formats.number)


@router.get("/match")
async def match(page: Page, campaign_id: str = "") -> Response:
    """The form, filled from a campaign's brief where one is chosen, and the creators that suit it."""
    form, found, problem = _typed(page), None, None
    listed = ListCampaignsRequest(
        brand_id=page.runs_campaigns_of, statuses=[CAMPAIGN_STATUS_PUBLISHED], page_size=CAMPAIGNS_SHOWN
    )
    campaigns = await page.ask(page.services.campaigns.ListCampaigns, listed)
    chosen = next((one for one in campaigns.campaigns if one.campaign_id == campaign_id), None)
    if chosen is not None and not form.text("text"):
        form = _filled(form, chosen)
    if form.text("text"):
        try:
            found = await page.ask(page.services.discovery.MatchCreators, _match(form))
        except Problem as refused:
            if refused.kind == "unauthenticated":
                raise
            problem = refused
    return page.show(
        "planner/match.html",
        problem.status if problem else 200,
        found=found,
        chosen=chosen,
        currency=form.text("currency").upper() or "CNY",
        campaigns=[
            ("", page.words(mark("none"))),
            *((one.campaign_id, one.brief.title) for one in campaigns.campaigns),
        ],
        goals=[one for one in _goals(page, GOALS) if one[0] != "reach"],
        formats=_formats(page),
        genders=[("female", page.words(mark("Women"))), ("male", page.words(mark("Men")))],
        weighing=weighing,
        form=form,
        problem=problem,
    )


def _filled(form: Form, campaign: Campaign) -> Form:
    """What the brief says, where nothing was typed."""
    brief = campaign.brief
    told = [brief.title, *brief.key_messages, *(one.name for one in brief.products)]
    formats = [Format.Name(one) for one in brief.formats][:1]
    values = {
        "text": [" ".join(told)[:2_000]],
        "currency": [brief.currency],
        "goal": [OBJECTIVES.get(brief.objective, "reads")],
        "format": formats or ["FORMAT_VIDEO"],
    }
    return Form({**values, **{name: given for name, given in form.values.items() if any(given)}})


def _match(form: Form) -> MatchCreatorsRequest:
    """Raises the Problem of what cannot be read."""
    currency = form.text("currency").upper() or "CNY"
    asked = MatchCreatorsRequest(
        brief=MatchBrief(
            text=form.text("text"),
            goal=_goal("reads" if form.text("goal") == "reach" else form.text("goal")),
            format=_format(form),
            currency=currency,
            price_max_minor=form.minor("price_max", currency, 0),
            categories=form.many("categories"),
            genders=form.many("genders"),
            locations=form.many("locations"),
        ),
        search=SearchCreatorsRequest(exclude_campaign_id=form.text("campaign_id")),
        page_size=50,
    )
    form.check()
    return asked
