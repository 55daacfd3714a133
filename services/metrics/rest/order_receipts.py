"""Receipts of orders and their changes: beside where the events stand, what became of what was sent."""

from dataclasses import asdict, dataclass

from pydantic import BaseModel

from kernel.core.events import Receipt
from kernel.core.faults import Internal
from kernel.host.app import App
from services.metrics.codec import CODEC
from services.metrics.domain.order.order import ORDER
from services.metrics.domain.order.state import State
from services.metrics.domain.order.told import attributed_to, outcomes


class EvidenceAnswer(BaseModel):
    """`source`: link, coupon or reported; `at`: place of the click id among those sent, from 0; `outcome`: used (it decided whose
    the order is), outdone (a stronger piece did), malformed, unknown (the brand has no such thing) or out_of_time."""

    source: str
    at: int
    outcome: str


@dataclass(frozen=True, slots=True)
class OrderReceipt(Receipt):
    """Also whose the order is, by which evidence (`source` "": nobody's), and what became of each piece that came with it.

    `passed_over` counts click ids that were not looked at.
    """

    source: str
    source_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    evidence: list[EvidenceAnswer]
    passed_over: int


@dataclass(frozen=True, slots=True)
class ChangeReceipt(Receipt):
    """`kept`: the order is not recorded yet; the change is applied when it is."""

    kept: bool


async def order_receipt(app: App, receipt: Receipt) -> OrderReceipt:
    """What the log says of the order: of a repeat what it said the first time."""
    order = (await _state(app, receipt)).order
    if order is None:
        raise Internal("order.not_in_the_log", stream=receipt.stream)
    found = attributed_to(order.attribution)
    names = ("source", "source_id", "campaign_id", "collaboration_id", "deliverable_id", "creator_id")
    evidence = [EvidenceAnswer.model_validate(one) for one in outcomes(order)]
    return OrderReceipt(
        **asdict(receipt), **{name: found[name] for name in names}, evidence=evidence, passed_over=order.passed_over
    )


async def change_receipt(app: App, receipt: Receipt) -> ChangeReceipt:
    return ChangeReceipt(**asdict(receipt), kept=(await _state(app, receipt)).order is None)


async def _state(app: App, receipt: Receipt) -> State:
    """The order as of the receipt: a stream of at most some hundred events."""
    state = ORDER.initial
    for event in await app.log.load([receipt.stream], receipt.position):
        state = ORDER.evolve(state, CODEC.decode(event.name, event.data))
    return state
