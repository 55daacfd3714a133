"""The second part: from an offer to content that is up, looked at and paid, one coroutine per collaboration."""

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts.words import word

from cli.story.heard import Heard
from cli.story.market import REVIEWER, Market, named
from cli.story.people import Pairing, find_one
from cli.story.plan import BRANDED, DOUBTFUL_TEXT, LATE, LIVE, REFUSED_TEXT, SEEDING, Deal

CANCELLED = (BRANDED.name, 7)
"""The brand cancels this one after the draft: half the fee is owed by the ladder."""
DECLINED = (BRANDED.name, 15)
COUNTERED = (BRANDED.name, 3)
REFUSED = ((SEEDING.name, 2), (BRANDED.name, 5))
"""Their first drafts break the law and come back."""
DOUBTFUL = (LIVE.name, 4)
"""A reviewer looks at this one's drafts."""
REVISED = (LIVE.name, 1)
"""The brand wants another word."""


AI_MARK = "AI生成 (AI generated)"
"""In the words of the packs of China and of the European Union."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One deliverable of a collaboration; `text` is what its creator writes."""

    pairing: Pairing
    collaboration_id: str
    deliverable_id: str
    ordinal: int
    platform: str
    text: str

    @property
    def path(self) -> str:
        return f"/collaborations/{self.collaboration_id}"


class Work:
    """Leads collaborations. `step` is called with "contracted", "published" and "settled" as they get there."""

    def __init__(self, market: Market, heard: Heard, step: Callable[[str], None]) -> None:
        self._market, self._heard, self._step = market, heard, step

    async def agree(self, pairing: Pairing) -> str:
        """Invitation or application, sometimes a counter-offer, then the contract and its money; the collaboration's id."""
        deal, market = pairing.deal, self._market
        key = (deal.name, pairing.number)
        invited = deal.brief["mode"] == "invite"
        if invited:
            body = {"creator_id": pairing.creator.tenant, "fees_minor": pairing.fees_minor}
            receipt = await market.do("campaigns", "POST", f"/campaigns/{deal.id}/invite", deal.brand, body)
        else:
            body = {"fees_minor": pairing.fees_minor}
            receipt = await market.do("campaigns", "POST", f"/campaigns/{deal.id}/apply", pairing.creator, body)
        id_ = str(receipt["stream"]).partition("-")[2]
        if key == DECLINED:
            await market.do("campaigns", "POST", f"/applications/{id_}/decline", pairing.creator, {"reason": "no_time"})
            await self._heard.one(campaigns.ApplicationDeclined, application_id=id_)
            return ""
        accepter = pairing.creator if invited else deal.brand
        if key == COUNTERED:
            more = {"fees_minor": [fee + 5_000 for fee in pairing.fees_minor]}
            await market.do("campaigns", "POST", f"/applications/{id_}/counter", pairing.creator, more)
            accepter = deal.brand
        await market.do("campaigns", "POST", f"/applications/{id_}/accept", accepter, {"brief_version": 1})
        await self._heard.one(campaigns.CollaborationFunded, collaboration_id=id_)
        self._step("contracted")
        return id_

    async def lead(self, pairing: Pairing) -> None:
        """A whole collaboration until it is settled, declined or cancelled."""
        id_ = await self.agree(pairing)
        if not id_:
            return
        if any(product.get("shipped", True) for product in pairing.deal.brief["products"]):
            await self._ship(pairing, id_)
        contract = await self._heard.one(campaigns.CollaborationContracted, collaboration_id=id_)
        pieces = [self._piece(pairing, id_, each) for each in contract.deliverables]
        if (pairing.deal.name, pairing.number) == CANCELLED:
            await self._cancel(pieces[0])
            return
        await asyncio.gather(*[self.make(piece) for piece in pieces])
        await self._heard.one(campaigns.CollaborationSettled, collaboration_id=id_)
        self._step("settled")

    async def _ship(self, pairing: Pairing, id_: str) -> None:
        sent = {"carrier": "SF Express", "tracking": f"SF{pairing.number:08d}"}
        await self._market.do("campaigns", "POST", f"/collaborations/{id_}/send-product", pairing.deal.brand, sent)
        await self._market.do("campaigns", "POST", f"/collaborations/{id_}/receive-product", pairing.creator)

    def _piece(self, pairing: Pairing, id_: str, deliverable: Any) -> Piece:
        texts = pairing.deal.texts
        text = texts[(pairing.number + deliverable.ordinal - 1) % len(texts)]
        if pairing.virtual:
            text = f"{text} {AI_MARK}"
        platform = word(common.Platform, deliverable.platform)
        return Piece(pairing, id_, deliverable.deliverable_id, deliverable.ordinal, platform, text)

    async def make(self, piece: Piece) -> None:
        """Draft, review, approval, schedule, the post itself, and the look that verifies it."""
        label, passed = await self._cleared(piece)
        creator = piece.pairing.creator
        at = datetime.now(UTC) + timedelta(minutes=2)
        scheduled = {"deliverable_id": piece.deliverable_id, "publish_at": at.isoformat()}
        await self._market.do("campaigns", "POST", f"{piece.path}/schedule", creator, scheduled)
        text = f"{label} {passed}"
        post_id = f"post-{piece.deliverable_id}"
        post = {
            "post_id": post_id, "author": creator.tenant, "text": text, "label": label, "platform": piece.platform,
        }  # fmt: skip
        await self._market.outside("POST", "/platform/posts", post)
        told = {
            "deliverable_id": piece.deliverable_id,
            "post_id": post_id,
            "post_url": f"https://{piece.platform}.example/posts/{post_id}",
            "text": text,
        }
        await self._market.do("campaigns", "POST", f"{piece.path}/publish", creator, told)
        self._step("published")
        await self._heard.one(campaigns.ContentVerified, deliverable_id=piece.deliverable_id)

    async def _cleared(self, piece: Piece) -> tuple[str, str]:
        """Drafts until one passes compliance and the brand: the label it has to carry, and its text."""
        key, drafts = (piece.pairing.deal.name, piece.pairing.number), [piece.text]
        if key in REFUSED:
            drafts.insert(0, REFUSED_TEXT[piece.pairing.deal.brief["jurisdiction"]])
        if key == DOUBTFUL:
            drafts = [f"{DOUBTFUL_TEXT}{piece.text}"]
        if key == REVISED:
            drafts.insert(0, f"{piece.text}（初稿）")
        for round_, text in enumerate(drafts[:-1]):
            await self._sent_back(piece, round_, text, by_brand=key == REVISED)
        reviewed = await self._submit(piece, len(drafts) - 1, drafts[-1])
        if key == DOUBTFUL:
            reviewed = await self._by_hand(reviewed)
        approved = {"deliverable_id": piece.deliverable_id, "submission_id": reviewed.submission_id}
        await self._market.do("campaigns", "POST", f"{piece.path}/approve", piece.pairing.deal.brand, approved)
        return str(reviewed.label), drafts[-1]

    async def _submit(self, piece: Piece, round_: int, text: str) -> Any:
        """Hands a draft in; compliance's verdict as it reached the collaboration."""
        submission_id = named("submission", piece.deliverable_id, round_)
        content = {"title": "", "text": text, "tags": [], "links": [], "evidence": self._owned(piece)}
        body = {
            "deliverable_id": piece.deliverable_id,
            "submission_id": submission_id,
            "stage": "draft",
            "content": content,
        }
        await self._market.do("campaigns", "POST", f"{piece.path}/submit", piece.pairing.creator, body)
        return await self._heard.one(campaigns.ReviewRecorded, submission_id=submission_id)

    def _owned(self, piece: Piece) -> list[dict[str, str]]:
        """A creator who is sent nothing shows that it owns what it speaks of."""
        if any(product.get("shipped", True) for product in piece.pairing.deal.brief["products"]):
            return []
        return [{"kind": "product_owned", "reference": f"order {piece.pairing.number + 4_000}"}]

    async def _sent_back(self, piece: Piece, round_: int, text: str, by_brand: bool) -> None:
        """A draft that compliance blocks, or that the brand wants changed."""
        reviewed = await self._submit(piece, round_, text)
        if by_brand:
            body = {
                "deliverable_id": piece.deliverable_id,
                "submission_id": reviewed.submission_id,
                "notes": ["请写上三档亮度。"],
            }
            path = f"{piece.path}/request-revision"
            await self._market.do("campaigns", "POST", path, piece.pairing.deal.brand, body)
        await self._heard.one(campaigns.RevisionRequested, submission_id=reviewed.submission_id)

    async def _by_hand(self, reviewed: Any) -> Any:
        """A reviewer reads what the rules were not sure about, and lets it pass."""
        id_, body = reviewed.submission_id, {"approved": True, "reason": "说的是个人感受，没有指向全部同类商品。"}
        await self._market.do("compliance", "POST", f"/reviews/{id_}/decide", REVIEWER, body)
        return await self._heard.one(
            campaigns.ReviewRecorded, lambda event: event.verdict == common.VERDICT_CLEAR, submission_id=id_
        )

    async def _cancel(self, piece: Piece) -> None:
        """The brand changes its mind after the draft; the ladder pays the creator, the rest goes back."""
        await self._submit(piece, 0, piece.text)
        body = {"reason": "budget_cut"}
        await self._market.do("campaigns", "POST", f"{piece.path}/cancel", piece.pairing.deal.brand, body)
        await self._heard.one(ledger.RefundIssued, deliverable_id=piece.deliverable_id)

    async def invite_in_vain(self, deal: Deal = LATE, taken: Container[str] = ()) -> None:
        """An invitation that nobody answers runs out; its campaign is cancelled. `taken` creators work for others."""
        stranger = await find_one(self._market, deal, taken)
        body = {"creator_id": stranger.tenant, "fees_minor": list(deal.fees_minor)}
        receipt = await self._market.do("campaigns", "POST", f"/campaigns/{deal.id}/invite", deal.brand, body)
        id_ = str(receipt["stream"]).partition("-")[2]
        await self._heard.one(campaigns.ApplicationExpired, application_id=id_)
        await self._market.do("campaigns", "POST", f"/campaigns/{deal.id}/cancel", deal.brand, {"reason": "no_answer"})
        await self._heard.one(campaigns.CampaignCancelled, campaign_id=deal.id)
