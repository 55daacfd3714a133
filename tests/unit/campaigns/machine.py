"""The state machine of campaigns: everybody's commands in any order, the clock's too, and what must hold after each."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from kernel.core.decider import Actor
from services.campaigns.codec import CODEC
from services.campaigns.domain.application.commands import (
    AcceptApplication,
    Apply,
    CounterOffer,
    DeclineApplication,
    InviteCreator,
    ReleaseApplication,
    RenewOffer,
    WithdrawApplication,
)
from services.campaigns.domain.application.state import Status as ApplicationStatus
from services.campaigns.domain.campaign.campaign import (
    AmendBrief,
    CancelCampaign,
    CloseCampaign,
    DraftCampaign,
    PauseCampaign,
    PublishBrief,
    ResumeCampaign,
)
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ContractCollaboration,
    FundCollaboration,
    NoteFundingWait,
    OpenDispute,
    Outcome,
    ReceiveProduct,
    RetryFunding,
    RuleDispute,
    SendProduct,
    WithdrawDispute,
)
from services.campaigns.domain.collaboration.deliverable import CLOSED, Deliverable, Stage
from services.campaigns.domain.shared.content_events import Verdict
from services.campaigns.domain.shared.events import ApplicationAccepted
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND, CAMPAIGN_ID, NOON, OPERATOR, SERUM, SPEC, SYSTEM, bookable, brief
from tests.kit.decide import World
from tests.unit.campaigns.holds import CREATORS, Holds
from tests.unit.campaigns.stages import AFTER, BY_THE_LEDGER, LIKELY, next_steps

CAMPAIGN_STREAM = f"campaign-{CAMPAIGN_ID}"
ONE = st.sampled_from([0, 0, 1, 2])
FEE = st.integers(1_000, 200_000)
MINUTES = st.sampled_from([30, 60 * 24, 60 * 24 * 3, 60 * 24 * 8])


class Campaigns(Holds):
    """One small budget, three creators who want it, and everybody's commands in any order."""

    @initialize(shipped=st.booleans(), outline=st.booleans(), budget_minor=st.integers(300_000, 700_000))
    def publish_campaign(self, shipped: bool, outline: bool, budget_minor: int) -> None:
        spec = replace(SPEC, outline_required=outline)
        products = (replace(SERUM, shipped=shipped),)
        self.brief = brief(budget_minor=budget_minor, deliverables=(spec, spec), products=products)
        rows = [
            bookable(creator.tenant, max_parallel_jobs=limit)
            for creator, limit in zip(CREATORS, (0, 1, 2), strict=True)
        ]
        self.world = World(SERVICE, NOON, {key: row for one in rows for key, row in one.items()})
        self.sent: list[tuple[str, Any, Actor]] = []
        self.submissions = 0
        self.send(CAMPAIGN_STREAM, DraftCampaign(self.brief), BRAND)
        self.send(CAMPAIGN_STREAM, PublishBrief(), BRAND)

    def send(self, stream: str, command: Any, actor: Actor) -> None:
        """Sends a command, whatever becomes of it, and checks where its deliverables went."""
        before = self.stages()
        if not self.world.tried(stream, command, actor):
            self.sent.append((stream, command, actor))
        for deliverable_id, stage in self.stages().items():
            came_from = before.get(deliverable_id, Stage.WAITING)
            allowed = {came_from, *AFTER[came_from]} | (set(BY_THE_LEDGER) if came_from not in CLOSED else set())
            assert stage in allowed, f"{type(command).__name__} led from {came_from} to {stage}"

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        """The clock rings for everything that is due by then, in order."""
        self.world.at += timedelta(minutes=minutes)
        rows = self.world.table("deadlines").values()
        for row in sorted(rows, key=lambda row: (row.due_at, row.stream, row.name)):
            if row.due_at <= self.world.at:
                self.send(row.stream, _decoded(row), SYSTEM)
                if self.world.row("deadlines", row.stream, row.name) == row:
                    self.world.put("deadlines", (row.stream, row.name), None)

    @rule(
        command=st.sampled_from(
            [PauseCampaign("stock"), ResumeCampaign(), CloseCampaign("full"), CancelCampaign("over"), PublishBrief()]
        )
    )
    def steer_campaign(self, command: Any) -> None:
        if not isinstance(command, CloseCampaign | CancelCampaign) or len(self.sent) > 25:
            self.send(CAMPAIGN_STREAM, command, BRAND)

    @rule(budget_minor=st.integers(1, 900_000))
    def amend(self, budget_minor: int) -> None:
        self.brief = replace(self.brief, budget_minor=budget_minor)
        self.send(CAMPAIGN_STREAM, AmendBrief(self.brief), BRAND)

    @rule(who=ONE, fee_minor=FEE, invite=st.booleans())
    def agree(self, who: int, fee_minor: int, invite: bool) -> None:
        """An offer and its acceptance: what fills the budget."""
        self.offer(who, fee_minor, invite)
        accept = AcceptApplication(self.world.state(CAMPAIGN_STREAM).version)
        self.send(self.application(who), accept, CREATORS[who] if invite else BRAND)

    @rule(who=ONE, fee_minor=FEE, invite=st.booleans())
    def offer(self, who: int, fee_minor: int, invite: bool) -> None:
        creator, fees_minor = CREATORS[who], (fee_minor, fee_minor)
        if invite:
            self.send(self.application(who), InviteCreator(CAMPAIGN_ID, creator.tenant, fees_minor), BRAND)
        else:
            self.send(self.application(who), Apply(CAMPAIGN_ID, fees_minor), creator)

    @rule(who=ONE, brand=st.booleans(), version=st.integers(1, 3), fee_minor=FEE, what=st.integers(0, 4))
    def answer(self, who: int, brand: bool, version: int, fee_minor: int, what: int) -> None:
        """Every answer, by the right side and the wrong one, under old briefs and new ones."""
        offer = CounterOffer((fee_minor, fee_minor))
        ends = (DeclineApplication("busy"), WithdrawApplication("busy"))
        command = (offer, *ends, AcceptApplication(version), RenewOffer(version))[what]
        self.send(self.application(who), command, BRAND if brand else CREATORS[who])

    @rule(who=ONE)
    def begin(self, who: int) -> None:
        """The funding process and the product: work can start."""
        self.contract(who, refused=False)
        for command, actor in (
            (FundCollaboration(), SYSTEM), (SendProduct("SF", "1"), BRAND), (ReceiveProduct(), CREATORS[who])
        ):  # fmt: skip
            self.send(self.collaboration(who), command, actor)

    @rule(who=ONE, refused=st.booleans())
    def contract(self, who: int, refused: bool) -> None:
        """The funding process: the contract of an acceptance, or its release when the contract was refused."""
        state = self.world.state(self.application(who))
        accepted = [fact.event for fact in self.world.events if fact.stream == self.application(who)]
        contracts = [event for event in accepted if isinstance(event, ApplicationAccepted)]
        if not contracts or state.status is not ApplicationStatus.ACCEPTED:
            return
        if not refused:
            command = ContractCollaboration(contracts[-1].contract, contracts[-1].contract_sha256)
            self.send(self.collaboration(who), command, SYSTEM)
        elif self.world.state(self.collaboration(who)).contract is None:
            self.send(self.application(who), ReleaseApplication("no_contract"), SYSTEM)

    @rule(who=ONE, retry=st.sampled_from([None, BRAND, *CREATORS]), minutes=MINUTES)
    def miss(self, who: int, retry: Actor | None, minutes: int) -> None:
        """The brand's deposit does not cover the contract; the brand tries again, or somebody else does, or the clock."""
        attempt = self.world.state(self.collaboration(who)).funding_attempt
        self.send(self.collaboration(who), NoteFundingWait("escrow.not_covered", 1, attempt), SYSTEM)
        if retry is None:
            self.time_passes(minutes)
        else:
            self.send(self.collaboration(who), RetryFunding(), retry)

    @rule(who=ONE, by=st.sampled_from(["brand", "creator", "system"]))
    def cancel(self, who: int, by: str) -> None:
        actor = {"brand": BRAND, "creator": CREATORS[who], "system": SYSTEM}[by]
        self.send(self.collaboration(who), CancelCollaboration("over"), actor)

    @rule(who=ONE, brand=st.booleans(), outcome=st.sampled_from([None, *Outcome]), minutes=MINUTES)
    def dispute(self, who: int, brand: bool, outcome: Outcome | None, minutes: int) -> None:
        """Opened by a side; ruled after a while, or left open."""
        self.send(self.collaboration(who), OpenDispute("unpaid"), BRAND if brand else CREATORS[who])
        if outcome is not None:
            self.time_passes(minutes)
            self.send(self.collaboration(who), RuleDispute(outcome, 5_000), OPERATOR)

    @rule(who=ONE, brand=st.booleans())
    def withdraw(self, who: int, brand: bool) -> None:
        """A dispute given up by the side that opened it, or not by the other."""
        self.send(self.collaboration(who), WithdrawDispute(), BRAND if brand else CREATORS[who])

    @rule(
        who=ONE, index=st.integers(0, 1), verdict=st.sampled_from([Verdict.CLEAR, *Verdict]), choice=st.integers(0, 9)
    )
    def advance(self, who: int, index: int, verdict: Verdict, choice: int) -> None:
        """What somebody would do next on a deliverable."""
        state = self.world.state(self.collaboration(who))
        if state.contract is not None:
            one = state.deliverables[index]
            likely = LIKELY.get(one.stage, ())
            if likely:
                steps = self.next_steps(one, verdict, CREATORS[who])
                self.send(self.collaboration(who), *steps[likely[choice % len(likely)]])

    @rule(who=ONE, index=st.integers(0, 1), verdict=st.sampled_from(Verdict), choice=st.integers(0, 13))
    def disturb(self, who: int, index: int, verdict: Verdict, choice: int) -> None:
        """Anything at any stage."""
        state = self.world.state(self.collaboration(who))
        if state.contract is not None:
            steps = self.next_steps(state.deliverables[index], verdict, CREATORS[who])
            self.send(self.collaboration(who), *steps[choice])

    def next_steps(self, one: Deliverable, verdict: Verdict, creator: Actor) -> list[tuple[Any, Actor]]:
        self.submissions += 1
        return next_steps(one, verdict, creator, self.submissions, self.world.at)

    @rule(who=ONE, index=st.integers(0, 1), steps=st.integers(1, 10))
    def lead(self, who: int, index: int, steps: int) -> None:
        """All goes well for a while."""
        for _ in range(steps):
            self.advance(who, index, Verdict.CLEAR, 0)
            if self.stages() and Stage.VERIFIED in self.stages().values():
                self.time_passes(60 * 24 * 3)

    @rule(which=st.integers(0, 10_000))
    def retry(self, which: int) -> None:
        """Any earlier command again, as a lost answer makes its sender do."""
        self.send(*self.sent[which % len(self.sent)])


def _decoded(row: Any) -> Any:
    return CODEC.decode(row.command, row.data.encode())
