"""The pages as Markdown. A page is text in, text out; nothing here reads a clock or the network."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import getdoc

from kernel.core.faults import Fault, Kind
from kernel.core.money import BASIS_POINTS, DIGITS, LATELY_WITHDRAWN, LIMIT_MINOR, share_down, split_by_weights
from kernel.edge.grpc_errors import STATUS as GRPC
from kernel.edge.http_errors import STATUS, STATUS_OF_CODE, TITLES
from services.compliance.packs import shipped_packs
from services.discovery.domain.categories import FIRST_LEVEL, SECOND_LEVEL_CHARS
from services.discovery.domain.tiers import FLOORS, Tier
from services.ledger.domain import fees, tax
from services.metrics.domain import attribution, payable, roi
from services.metrics.domain.anomaly import refunds, window
from tools.reference import roles
from tools.reference.entries import WHO, Entry, entries, entry_of
from tools.reference.scan import KINDS, Found, codes

MADE = "Made by `make reference` from the code; a test fails when the page is stale.\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def errors() -> str:
    """Kinds, then every code by its noun."""
    found, known = codes(), entries()
    kinds = [
        (kind, STATUS[kind], GRPC[kind].name, TITLES[kind], _said(kind)) for kind in TITLES if kind not in {"poison"}
    ]
    text = f"""# Errors

{MADE}
A refusal has a **kind**, which decides the status, and a stable **code** `noun.what_is_wrong`: compare codes, show texts. Over
HTTP it is a problem of RFC 9457 (`application/problem+json`: `kind`, `code`, `facts`, `title`, and `errors` where fields are
wrong); over gRPC a status with `ErrorInfo` (`reason` is the code, `metadata` the facts), `BadRequest` and `RetryInfo`. Numbers
and names stand in the facts; a fact `do` says what to do. Sums that are not the caller's own are left out.

## Kinds

{table(("kind", "HTTP", "gRPC", "title", "meaning"), kinds)}
A code whose HTTP status differs: {", ".join(f"`{code}` {status}" for code, status in STATUS_OF_CODE.items())}.

## Who can mend it

{table(("word", "who"), WHO.items())}
## Codes

A code without a kind is a reason: it stands in events, in answers about one row of many, or in a read model.

"""
    return text + "".join(_noun(noun, found, known) for noun in sorted({code.partition(".")[0] for code in found}))


def _said(kind: Kind) -> str:
    (one,) = [one for one in vars_of_faults() if one.kind == kind and one is not Fault]
    return (getdoc(one) or "").replace("\n", " ")


def vars_of_faults() -> list[type[Fault]]:
    return [one for one in Fault.__subclasses__() if one.__name__ in KINDS]


def _noun(noun: str, found: Mapping[str, Found], known: Mapping[tuple[str, str], Entry]) -> str:
    rows = [row for code in sorted(found) if code.partition(".")[0] == noun for row in _rows(code, found[code], known)]
    return f"### {noun}\n\n{table(('code', 'kind', 'service', 'means', 'who', 'how'), rows)}\n"


def _rows(code: str, found: Found, known: Mapping[tuple[str, str], Entry]) -> list[Sequence[str]]:
    """One row for each meaning: services that mean the same share theirs."""
    by_entry: dict[Entry, list[str]] = {}
    for service in sorted(found.kinds):
        entry = entry_of(code, service, known)
        if entry is not None:
            by_entry.setdefault(entry, []).append(service)
    return [
        (
            f"`{code}`",
            ", ".join(sorted({kind for service in services for kind in found.kinds[service]})),
            ", ".join("every" if service == "kernel" else service for service in services),
            entry.meaning,
            entry.who,
            entry.how,
        )
        for entry, services in by_entry.items()
    ]


def categories() -> str:
    rows = [(f"`{name}`", english) for name, english in FIRST_LEVEL.items()]
    tiers = [(f"`{tier}`", f"{floor:,} and more") for tier, floor in FLOORS]
    names = defaultdict[str, list[str]](list)
    for pack in shipped_packs():
        for name, word in pack.categories.items():
            if name != word and name not in names[word]:
                names[word].append(name)
    goods = [(f"`{word}`", ", ".join(f"`{name}`" for name in sorted(names[word]))) for word in sorted(names)]
    return f"""# Categories and tiers

{MADE}
`GET /categories` of discovery answers the same list. A category is one of these, or one of these with a second level of your own
behind a slash, at most {SECOND_LEVEL_CHARS} characters: `美妆/口红`. A search finds it by its name and by the English words.

{table(("first level", "English words"), rows)}
## Of products

A brief's `product_category`, and that of a check, says what the content is about; the rule packs of compliance know these.
Case, blanks, hyphens and what stands behind a slash do not count: `E-Cigarette/pods` is `e_cigarette`. Content about another
category is judged without the rules for single categories and waits for a reviewer, with the finding `category.unknown`.

{table(("category", "other names"), goods)}
## Tiers

By followers of a creator's largest account; `GET /tiers` answers the same.

{table(("tier", "followers"), [*tiers, (f"`{Tier.UNRANKED}`", "fewer")])}"""


def role_page() -> str:
    rows = [(service, what, ", ".join(f"`{role}`" for role in needed)) for service, what, needed in roles.asked()]
    return f"""# Roles

{MADE}
A token's claim `roles` is a list of them ([identity](../identity.md)). An organisation's token has `brand`, `agency` and
`creator` only; the others are the staff's. A role says what one may ask for at all; whose things one sees and changes follows
from the token's `tenant`.

{table(("role", "who"), [(f"`{role}`", text) for role, text in roles.ROLES.items()])}
## What asks for a role

One of the roles in the last column; without it the answer is `actor.role_missing`. What is not listed asks for being a party.

{table(("service", "command or function", "roles"), rows)}"""


def units() -> str:
    digits = [
        (count, ", ".join(sorted(code for code in DIGITS if DIGITS[code] == count)))
        for count in sorted(set(DIGITS.values()))
    ]
    return f"""# Units and rounding

{MADE}
| what | how it is written |
| --- | --- |
| money | integers in minor units (`*_minor`) beside an ISO 4217 `currency`, never a float; at most {LIMIT_MINOR:,} |
| agreed shares | basis points (`*_bps`): {BASIS_POINTS:,} are the whole |
| computed ratios | 0 to 1 (`*_ratio`, `roi`): 0.25 is 25 % |
| durations | seconds `*_s`, milliseconds `*_ms`, days `*_days` |
| times | UTC, ISO 8601 with `Z` over HTTP, `google.protobuf.Timestamp` over gRPC |
| ids | UUIDs in small letters with hyphens |
| read-your-writes | `<service>:<position>:<partition>`, the `token` of a receipt |

## Rounding

Integers only. **A share of an amount is rounded down**; the remainder stays with whoever takes the rest: parts sum to the whole.

{table(("what", "how"), ROUNDING)}
Figures (ROI, CPM and the like) are fractions of integers and are not rounded before they are shown: [formulas](formulas.md).

## Currencies

`GET /currencies` of the ledger answers the same. Digits of the minor unit:

{table(("digits", "currencies"), digits)}
Withdrawn lately and still read: {", ".join(sorted(LATELY_WITHDRAWN))}.
"""


def _first(function: Callable[..., object]) -> str:
    return re.sub(r"\s+", " ", getdoc(function) or "")


ROUNDING = [
    ("a share in basis points (fees, kill fees, the agency's)", f"`share_down`: {_first(share_down)}"),
    ("several creators of one piece, linear attribution", f"`split_by_weights`: {_first(split_by_weights)}"),
    ("a payment", f"`share_out`: {_first(fees.share_out)}"),
    ("VAT", f"`vat_inside`: {_first(fees.vat_inside)}"),
    ("tax withheld", "its base is the creator's own share: the fee less the platform's part and the agency's commission; "
     f"`cn_tax`: {_first(tax.cn_tax)}"),
    ("another currency", f"`in_fen`, `of_fen`: {_first(tax.ReferenceRate.in_fen)} {_first(tax.ReferenceRate.of_fen)}"),
    ("a figure in an answer", f"`micros`: {_first(roi.Ratio.micros)}"),
]  # fmt: skip


MODELS = {
    attribution.Model.LAST_CLICK: "the last click before the order; this one counts for money",
    attribution.Model.FIRST_CLICK: "the first touch inside the window",
    attribution.Model.LINEAR: "every touch inside the window alike",
    attribution.Model.TIME_DECAY: "a touch half as much as one that came 7 days later",
    attribution.Model.POSITION: "40 % the first touch, 40 % the last, 20 % those between alike; two touches alike",
    attribution.Model.SHAPLEY: "the channels touched alike, however often each: Shapley's value, exact, of the game in which a "
    "set of channels earns every order that touches no other",
    attribution.Model.MARKOV: "by removal effect: what share of orders a chain of first order loses when nobody gets past the "
    "channel, exact",
}


def formulas() -> str:
    figures = [(f"`{one.id}`", one.text, one.unit) for one in roi.FORMULAS.values()]
    models = [(f"`{one}`", MODELS[one]) for one in attribution.Model]
    bands = [(metric.name.lower(), f"{band.start:,}", f"{band.least:,}") for metric, band in payable.BANDS.items()]
    rules = [
        (f"`{tax.Rule.CN_CUMULATIVE_2025}`", "residents of China"),
        (f"`{tax.Rule.NONE}`", "residents elsewhere: nothing is withheld"),
    ]
    return f"""# Formulas

{MADE}
A formula has an id with its version, which stands beside every result: another definition is another id. `GET /formulas` of
metrics answers the first table.

{table(("id", "formula", "unit"), figures)}
{_section(roi.__doc__)}
Cost is what the brand paid, fees included; revenue is what was attributed, refunds taken off. Without anything to divide by there
is no figure.

## Attribution

{table(("model", "who is credited"), models)}
## Anomalies

Of the stream ({", ".join(f"`{one}`" for one in window.FORMULAS.values())}):

{_first(window.Rule)} By default: {window.Rule()}.

`{refunds.FORMULA}`: of a campaign at least {refunds.LEAST} orders refunded completely in {refunds.DAY_H} hours, more
than {refunds.FACTOR} times the mean day of the {refunds.PAST_DAYS} days before, and more than
{refunds.ORDERS_PERCENT} % of the orders of all these days.

## Payable numbers

`{payable.FORMULA}`: of a measured, organic counter the steps up to {payable.FACTOR} times the median of its last
{payable.HISTORY} steps an hour, and up to the metric's start while there are fewer than {payable.FEW}.
The starts below are estimates and were not measured.

{_section(payable.__doc__)}
{table(("metric", "start an hour", "never too much an hour"), bands)}
## Tax

{table(("rule", "for"), rules)}
{_section(tax.__doc__)}"""


def _section(text: str | None) -> str:
    """A module's own description, without its first line, its formulas kept as they stand."""
    body = (text or "").partition("\n\n")[2]
    return re.sub(r"(?m)((?:^ {4}.*\n)+)", lambda found: f"```text\n{found[1]}```\n", body + "\n")


PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors,
    "categories.md": categories,
    "roles.md": role_page,
    "units.md": units,
    "formulas.md": formulas,
}
