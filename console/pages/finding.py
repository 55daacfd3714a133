"""What the search's address asks by filters: facets, bounds, shares, exclusions; and what met them, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dandelion.discovery.v1.events_pb2 import AuthenticityStanding, Gender
from dandelion.discovery.v1.filters_pb2 import (
    Amounts,
    Counts,
    Filter,
    FilterMatch,
    Labels,
    Ratios,
    Shares,
    WeightedShare,
    WorkedFor,
)
from dandelion_contracts.words import number, words

from console.forms import Form
from console.page import SignedIn
from console.words import mark
from console.words.enums import label

FLAGS = {
    "verified_account": mark("Verified account"),
    "contact_verified": mark("Contact verified"),
    "commission_accepted": mark("Takes commission"),
    "has_agency": mark("Has an agency"),
    "virtual_human": mark("Virtual human"),
    "media_kit": mark("Media kit"),
}
LABELS = {
    "genders": mark("Gender"),
    "generations": mark("Born in"),
    "authenticity_states": mark("Authenticity"),
    "past_industries": mark("Worked for products of"),
}
"""Facets that are asked for by filters, in the order of the page, before the flags."""
FACETS = {**LABELS, **FLAGS}
WORDS: Mapping[str, Any] = {"genders": Gender, "authenticity_states": AuthenticityStanding}
YES = "yes"
PRICE = mark("Price")


@dataclass(frozen=True, slots=True)
class Bound:
    """A number that people type: of a field, from or up to it. `kind` is count, percent or money."""

    field: str
    name: str
    kind: str
    is_upper: bool = False


BOUNDS = {
    "growth_min": Bound("follower_growth_ratio.3m", mark("Growth in 3 months"), "percent"),
    "authentic_min": Bound("authenticity_score", mark("Authenticity"), "count"),
    "reads_min": Bound("read_median.reported.video.30d.all", mark("Views of a video"), "count"),
    "jobs_min": Bound("jobs_settled", mark("Jobs done"), "count"),
    "on_time_min": Bound("on_time_ratio", mark("On time"), "percent"),
    "reply_min": Bound("reply_48h_ratio", mark("Replies in 48 hours"), "percent"),
    "findings_max": Bound("findings_365d", mark("Findings of a year"), "count", is_upper=True),
    "cpm_max": Bound("cpm", mark("CPM"), "money", is_upper=True),
    "cpe_max": Bound("cpe", mark("Price of an engagement"), "money", is_upper=True),
}
SHARES = {
    "female_min": ("gender", "female", mark("Female followers")),
    "young_min": ("age_band", "18-24", mark("Followers of 18 to 24")),
    "adult_min": ("age_band", "25-34", mark("Followers of 25 to 34")),
}
"""Least shares of followers, in percent."""
ORDERS = {
    "followers desc": mark("Most followers"),
    "followers": mark("Fewest followers"),
    "engagement_rate desc": mark("Highest engagement rate"),
    "price": mark("Lowest price"),
    "price desc": mark("Highest price"),
    "registered_at desc": mark("Newest"),
    "cpm": mark("Lowest CPM"),
    "cpe": mark("Lowest price of an engagement"),
    "authenticity_score desc": mark("Most authentic"),
    "follower_growth_ratio.3m desc": mark("Fastest growth"),
    "jobs_settled desc": mark("Most jobs done"),
}
PLACES = {
    "display_name": mark("the name"),
    "bio": mark("the text"),
    "tags": mark("tags"),
    "categories": mark("categories"),
}
"""Where a text was found."""
DAYS = 90
PAGING = ("page", "pick", "without")
FROM, UP_TO = mark("{name} from"), mark("{name} up to")
FIELD_NAMES = {
    **FACETS,
    **{one.field: one.name for one in BOUNDS.values()},
    "audience.followers.gender": SHARES["female_min"][2],
    "audience.followers.age_band": mark("Followers of the chosen ages"),
}


def asked_for(page: SignedIn) -> list[tuple[str, str, str]]:
    """Fields of the form: parameter, label, unit."""
    fields = [(name, _label(page, one), "%" if one.kind == "percent" else "") for name, one in BOUNDS.items()]
    return fields + [(name, page.words(FROM, name=page.words(one[2])), "%") for name, one in SHARES.items()]


def _label(page: SignedIn, one: Bound) -> str:
    return page.words(UP_TO if one.is_upper else FROM, name=page.words(one.name))


def filters_of(form: Form, currency: str) -> list[Filter]:
    """What was chosen and typed; what cannot be read is marked in the form."""
    made = [Filter(field=name, labels=Labels(values=chosen)) for name in LABELS if (chosen := form.many(name))]
    made += [Filter(field=name, flag=True) for name in FLAGS if form.text(name) == YES]
    made += [_bound(form, name, one, currency) for name, one in BOUNDS.items() if form.text(name)]
    for name, (dimension, value, _) in SHARES.items():
        if form.text(name):
            least = form.basis_points(name) / 10_000
            shares = Shares(min=least, shares=[WeightedShare(value=value)])
            made.append(Filter(field=f"audience.followers.{dimension}", shares=shares))
    if unwanted := form.many("not_tags"):
        made.append(Filter(field="tags", negated=True, labels=Labels(values=unwanted)))
    return made


def _bound(form: Form, name: str, one: Bound, currency: str) -> Filter:
    end = "max" if one.is_upper else "min"
    match one.kind:
        case "percent":
            return Filter(field=one.field, ratios=Ratios(**{end: form.basis_points(name) / 10_000}))
        case "money":
            asked: dict[str, Any] = {f"{end}_minor": form.minor(name, currency or "CNY"), "currency": currency}
            return Filter(field=one.field, amounts=Amounts(**asked))
        case _:
            return Filter(field=one.field, counts=Counts(**{end: form.whole(name)}))


def kept(form: Form) -> str:
    """The query of the search's address, without what is no part of a search that is saved."""
    values = [(name, one) for name, several in form.values.items() if name not in PAGING for one in several if one]
    return urlencode(values)


def rivals_of(form: Form) -> WorkedFor | None:
    """Whom a creator shall not have worked for lately."""
    industries = form.many("rivals")
    return WorkedFor(industries=industries, days=form.whole("rival_days", DAYS)) if industries else None


def told(page: SignedIn, name: str, value: str) -> str:
    """A value of a facet in the reader's words."""
    if name in FLAGS:
        return page.words(mark("yes"))
    if name in WORDS and value in words(WORDS[name]):
        return page.words(label(WORDS[name].DESCRIPTOR, number(WORDS[name], value)))
    return value


def typed(page: SignedIn, form: Form) -> Iterable[tuple[str, str]]:
    """(parameter, its chip) of every bound, share and exclusion that is set."""
    for name, named, unit in asked_for(page):
        if form.text(name):
            yield name, f"{named} {form.text(name)}{unit}"
    for name, said in (("not_tags", mark("Not these tags")), ("rivals", mark("Not who worked for products of"))):
        if form.text(name):
            yield name, f"{page.words(said)}: {form.text(name)}"
    if form.is_set("fresh"):
        yield "fresh", page.words(mark("Only who was never invited by us"))


def reason(page: SignedIn, one: FilterMatch, currency: str) -> str:
    """What of a creator met a filter; "" for what the search's own reasons say."""
    name = FIELD_NAMES.get(one.field, "")
    if not name or one.negated:
        return ""
    if one.field in FLAGS:
        return page.words(name)
    if not one.HasField("number"):
        return f"{page.words(name)}: {', '.join(told(page, one.field, value) for value in one.labels)}"
    kind = next((bound.kind for bound in BOUNDS.values() if bound.field == one.field), "percent")
    if kind == "percent":
        return f"{page.words(name)}: {page.formats.ratio(one.number)}"
    if kind == "money":
        return f"{page.words(name)}: {page.formats.money(int(one.number), currency or 'CNY')}"
    return f"{page.words(name)}: {page.formats.number(one.number)}"
