"""Tracking links: `link-<uuid>` is published.

A code is unique over the whole installation, because it is a public path (`/l/<code>`), and for ever: what was printed is never
another's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never
from urllib.parse import urlsplit

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, NotFound, Refused
from kernel.core.ids import split_stream
from services.metrics.domain.attribution import Placement, owns
from services.metrics.domain.site.targets import check_target

MAX_URL = 2048
CODE = re.compile(r"[A-Za-z0-9_-]{4,32}")
REASON = re.compile(r"[a-z][a-z0-9_.]{0,59}")
LINKS_PER_BRAND = 10_000


@dataclass(frozen=True, slots=True)
class IssueLink:
    """`target_url` is where a visitor goes (https); `code` the public path, 4..32 of A-Z a-z 0-9 _ -."""

    brand_id: str
    placement: Placement
    target_url: str
    code: str
    limit: int = LINKS_PER_BRAND
    """Links that the brand may have; the edge says it, from a setting."""


@dataclass(frozen=True, slots=True)
class EndLink:
    """By its brand, or by an operator: where it leads has become somebody else's. `reason` is a word such as `host_taken`."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkIssued:
    """A tracking link stands; `brand_id` owns it."""

    link_id: str
    brand_id: str
    placement: Placement
    target_url: str
    code: str


@dataclass(frozen=True, slots=True)
class LinkEnded:
    """The link leads nowhere any more; its code stays taken, and its clicks count."""

    link_id: str
    brand_id: str
    placement: Placement
    code: str
    reason: str


Command = IssueLink | EndLink
Event = LinkIssued | LinkEnded


@dataclass(frozen=True, slots=True)
class LinkState:
    issued: LinkIssued | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class LinkCode:
    """Inline row: who holds a code, and where it leads; `target_url` is empty once the link has ended."""

    code: str
    link_id: str
    brand_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    target_url: str

    @property
    def placement(self) -> Placement:
        return Placement(self.campaign_id, self.collaboration_id, self.deliverable_id, self.creator_id)


def _fold_code(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, LinkCode | None]]:
    made: Event = fact.event
    at = made.placement
    row = LinkCode(
        made.code, made.link_id, made.brand_id, at.campaign_id, at.collaboration_id, at.deliverable_id, at.creator_id,
        made.target_url if isinstance(made, LinkIssued) else "",
    )  # fmt: skip
    yield (made.code,), row


LINK_CODES: InlineTable[LinkCode] = InlineTable("link_codes", LinkCode, ("code",), (LinkIssued, LinkEnded), _fold_code)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """Inline row: how many links a brand has."""

    brand_id: str
    issued: int


def _fold_count(fact: DecidedEvent[LinkIssued], rows: Rows) -> Iterable[tuple[Key, LinkCount]]:
    brand_id = fact.event.brand_id
    row = rows.get(LINK_COUNTS, (brand_id,))
    yield (brand_id,), LinkCount(brand_id, (row.issued if row else 0) + 1)


LINK_COUNTS: InlineTable[LinkCount] = InlineTable("link_counts", LinkCount, ("brand_id",), (LinkIssued,), _fold_count)


def _check_limit(command: IssueLink, context: Context) -> None:
    row = context.rows.get(LINK_COUNTS, (command.brand_id,))
    if row is not None and row.issued >= command.limit:
        do = "ask the platform's operator for a higher limit (links_per_tenant); links that stand are kept for their clicks"
        raise Refused("link.limit_reached", limit=command.limit, do=do)


def checked_url(url: str) -> str:
    """`url` itself; raises Invalid `link.url_not_allowed` unless it is https with a plain host and no credentials."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Invalid("link.url_not_allowed", rule="https, ASCII, no credentials, at most 2048 characters")
    return url


def decide_link(command: Command, state: LinkState, context: Context) -> Sequence[Event]:
    match command:
        case IssueLink():
            return _issue(command, state, context)
        case EndLink():
            return _end(command, state, context)
        case _:
            assert_never(command)


def _end(command: EndLink, state: LinkState, context: Context) -> Sequence[Event]:
    """Raises NotFound `link.unknown` also to strangers, Invalid `reason.malformed`."""
    context.actor.require("brand", "agency", "operator")
    made = state.issued
    if made is None or not (context.actor.tenant == made.brand_id or "operator" in context.actor.roles):
        raise NotFound("link.unknown")
    if not REASON.fullmatch(command.reason):
        raise Invalid("reason.malformed", expected="a word of a-z, 0-9, _ and .")
    return [] if state.ended else [LinkEnded(made.link_id, made.brand_id, made.placement, made.code, command.reason)]


def _issue(command: IssueLink, state: LinkState, context: Context) -> Sequence[LinkIssued]:
    """Raises Forbidden for another brand, Invalid on bad values, Refused when the link or its code is taken or the brand has not
    proven where it leads. A link that stands goes on when the proof is gone."""
    if not owns(context, command.brand_id):
        raise Forbidden("link.not_a_party")
    made = _issued(command, context)
    if state.ended:
        raise Refused("link.ended", do="issue another link, with another code")
    if state.issued is not None:
        return _repeated(made, state.issued)
    if context.rows.get(LINK_CODES, (command.code,)) is not None:
        raise Refused("link.code_taken", link_code=command.code)
    _check_limit(command, context)
    check_target(command.target_url, command.brand_id, context)
    return [made]


def _issued(command: IssueLink, context: Context) -> LinkIssued:
    if not CODE.fullmatch(command.code):
        raise Invalid("link.code_malformed", rule="4 to 32 of A-Z a-z 0-9 _ -")
    link_id = split_stream(context.stream)[1]
    url = checked_url(command.target_url)
    return LinkIssued(link_id, command.brand_id, command.placement.checked(), url, command.code)


def _repeated(made: LinkIssued, stands: LinkIssued) -> list[LinkIssued]:
    if made != stands:
        raise Refused("link.already_issued", link_id=stands.link_id)
    return []


def evolve_link(state: LinkState, event: Event) -> LinkState:
    return LinkState(event) if isinstance(event, LinkIssued) else replace(state, ended=True)


def _reads_link(command: Command, state: LinkState) -> Iterable[tuple[InlineTable[Any], Key]]:
    if isinstance(command, IssueLink):
        yield LINK_CODES, (command.code,)
        yield LINK_COUNTS, (command.brand_id,)


LINK: Decider[Command, LinkState, Event] = Decider(
    "link",
    LinkState(),
    decide_link,
    evolve_link,
    owner=lambda command: command.brand_id if isinstance(command, IssueLink) else None,
    reads=_reads_link,
)
