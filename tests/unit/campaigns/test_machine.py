"""Any order of commands of all sides: the budget holds, no stage is skipped, nothing is left without a clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kernel.ids import derived_id, split_stream
from kernel.model import Actor
from services.campaigns.codec import CODEC
from services.campaigns.domain.application import APPLICATION
from services.campaigns.domain.application_commands import (
    AcceptApplication,
    Apply,
    CounterOffer,
    DeclineApplication,
    InviteCreator,
    ReleaseApplication,
    RenewOffer,
    WithdrawApplication,
)
from services.campaigns.domain.budget import BRIEFS, BUDGETS, Budget
from services.campaigns.domain.campaign import (
    CAMPAIGN,
    AmendBrief,
    CancelCampaign,
    CloseCampaign,
    DraftCampaign,
    PauseCampaign,
    PublishBrief,
    ResumeCampaign,
)
from services.campaigns.domain.collaboration import COLLABORATION
from services.campaigns.domain.collaboration_state import State, Status
from services.campaigns.domain.content_events import Content, LabelPlacement, SubmissionStage, Verdict
from services.campaigns.domain.contract import application_id
from services.campaigns.domain.deliverable import OVER, Stage
from services.campaigns.domain.events import ApplicationAccepted, ApplicationReleased
from services.campaigns.domain.work_commands import (
    ApproveContent,
    CancelCollaboration,
    ContractCollaboration,
    FundCollaboration,
    OpenDispute,
    Outcome,
    PublishContent,
    ReceiveProduct,
    RecordReview,
    RequestRevision,
    RuleContent,
    RuleDispute,
    ScheduleContent,
    SendProduct,
    SettleDeliverable,
    SubmitContent,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.work_events import CollaborationCancelled, DeliverableLapsed, DeliverableSettled
from services.campaigns.process.clocks import DEADLINES
from tests.kit.campaigns import BRAND, CAMPAIGN_ID, NOON, OPERATOR, SERUM, SPEC, SYSTEM, brief
from tests.kit.decide import World

CREATORS = [Actor(f"creator {n}", derived_id("creator", str(n)), frozenset({"creator"})) for n in range(3)]
CAMPAIGN_STREAM = f"campaign-{CAMPAIGN_ID}"
S = Stage
AFTER: dict[Stage, set[Stage]] = {
    S.WAITING: {S.OPEN},
    S.OPEN: {S.OUTLINE_SUBMITTED, S.DRAFT_SUBMITTED},
    S.OUTLINE_SUBMITTED: {S.OUTLINED, S.REVISION_REQUESTED, S.IN_RULING},
    S.OUTLINED: {S.DRAFT_SUBMITTED},
    S.DRAFT_SUBMITTED: {S.IN_REVIEW, S.REVISION_REQUESTED},
    S.IN_REVIEW: {S.REVISION_REQUESTED, S.IN_RULING, S.APPROVED},
    S.REVISION_REQUESTED: {S.OUTLINE_SUBMITTED, S.DRAFT_SUBMITTED},
    S.IN_RULING: {S.APPROVED, S.OUTLINED},
    S.APPROVED: {S.SCHEDULED, S.PUBLISHED},
    S.SCHEDULED: {S.PUBLISHED},
    S.PUBLISHED: {S.VERIFIED, S.TAKEN_DOWN},
    S.TAKEN_DOWN: {S.PUBLISHED},
    S.VERIFIED: {S.PAYING, S.SETTLED, S.TAKEN_DOWN},
    S.PAYING: {S.SETTLED},
    S.SETTLED: set(),
    S.ENDED: set(),
}
"""Where a stage may go by one command; to ENDED every one may that is not over."""
LABEL, TEXT = "#ad", Content("", "A serum")
ONE = st.sampled_from([0, 1, 2])


class Campaigns(RuleBasedStateMachine):
    """One small budget, three creators who want it, and everybody's commands in any order."""

    @initialize(shipped=st.booleans(), outline=st.booleans(), budget_minor=st.integers(300_000, 700_000))
    def publish_campaign(self, shipped: bool, outline: bool, budget_minor: int) -> None:
        spec = replace(SPEC, outline_required=outline)
        products = (replace(SERUM, shipped=shipped),)
        self.brief = brief(budget_minor=budget_minor, deliverables=(spec, spec), products=products)
        tables = (BUDGETS, BRIEFS, DEADLINES)
        self.world = World((CAMPAIGN, APPLICATION, COLLABORATION), tables, NOON)
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
            came_from = before.get(deliverable_id, S.WAITING)
            allowed = {came_from, *AFTER[came_from]} | ({S.ENDED} if came_from not in OVER else set())
            assert stage in allowed, f"{type(command).__name__} led from {came_from} to {stage}"

    def collaborations(self) -> list[tuple[str, State]]:
        found = [(stream, state) for stream, state in self.world.states.items() if isinstance(state, State)]
        return [(stream, state) for stream, state in found if state.contract is not None]

    def stages(self) -> dict[str, Stage]:
        return {one.terms.deliverable_id: one.stage for _, state in self.collaborations() for one in state.deliverables}

    @rule(minutes=st.integers(1, 60 * 24 * 10))
    def time_passes(self, minutes: int) -> None:
        """The clock rings for everything that is due by then, in order."""
        self.world.at += timedelta(minutes=minutes)
        rows = [row for (table, _), row in self.world.head.rows.items() if table == "deadlines" and row]
        for row in sorted(rows, key=lambda row: (row.due_at, row.stream, row.name)):
            if row.due_at <= self.world.at:
                self.world.head.rows["deadlines", (row.stream, row.name)] = None
                self.send(row.stream, _decoded(row), SYSTEM)

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

    @rule(who=ONE, fee_minor=st.integers(1, 200_000), invite=st.booleans())
    def offer(self, who: int, fee_minor: int, invite: bool) -> None:
        creator, fees_minor = CREATORS[who], (fee_minor, fee_minor)
        if invite:
            self.send(self.application(who), InviteCreator(CAMPAIGN_ID, creator.tenant, fees_minor), BRAND)
        else:
            self.send(self.application(who), Apply(CAMPAIGN_ID, fees_minor), creator)

    def application(self, who: int) -> str:
        return f"application-{application_id(CAMPAIGN_ID, CREATORS[who].tenant)}"

    @rule(
        who=ONE,
        brand=st.booleans(),
        version=st.integers(1, 3),
        fee_minor=st.integers(1, 200_000),
        what=st.integers(0, 9),
    )
    def answer(self, who: int, brand: bool, version: int, fee_minor: int, what: int) -> None:
        found = [CounterOffer((fee_minor, fee_minor)), DeclineApplication("busy"), WithdrawApplication("busy")]
        command = found[what] if what < len(found) else AcceptApplication(self.world.state(CAMPAIGN_STREAM).version)
        actor = BRAND if brand else CREATORS[who]
        self.send(self.application(who), command if what < 9 else RenewOffer(version), actor)

    @rule(who=ONE, contract=st.integers(0, 4))
    def contract(self, who: int, contract: int) -> None:
        """The funding process: the contract of an acceptance, or its release when the contract was refused."""
        stream = self.application(who)
        for fact in self.world.events:
            if fact.stream == stream and isinstance(fact.event, ApplicationAccepted):
                collaboration = f"collaboration-{split_stream(stream)[1]}"
                if contract:
                    command = ContractCollaboration(fact.event.contract, fact.event.contract_sha256)
                    if not isinstance(self.world.events[-1].event, ApplicationReleased) and not self.released(stream):
                        self.send(collaboration, command, SYSTEM)
                elif self.world.state(collaboration).contract is None:
                    self.send(stream, ReleaseApplication("no_contract"), SYSTEM)

    def released(self, stream: str) -> bool:
        return any(fact.stream == stream and isinstance(fact.event, ApplicationReleased) for fact in self.world.events)

    @rule(who=ONE, what=st.integers(0, 7), actor=st.integers(0, 2))
    def steer_collaboration(self, who: int, what: int, actor: int) -> None:
        commands: Sequence[Any] = [
            FundCollaboration(), FundCollaboration(), SendProduct("SF", "1"), ReceiveProduct(), OpenDispute("unpaid"),
            RuleDispute(Outcome.RESUME), RuleDispute(Outcome.CANCEL, 5_000), CancelCollaboration("over"),
        ]  # fmt: skip
        by = [
            SYSTEM,
            SYSTEM,
            BRAND,
            CREATORS[who],
            CREATORS[who],
            OPERATOR,
            OPERATOR,
            [BRAND, CREATORS[who], SYSTEM][actor],
        ]
        self.send(f"collaboration-{split_stream(self.application(who))[1]}", commands[what], by[what])

    @rule(who=ONE, index=st.integers(0, 1), verdict=st.sampled_from(Verdict), wild=st.integers(0, 9))
    def work(self, who: int, index: int, verdict: Verdict, wild: int) -> None:
        """What somebody would do next on a deliverable, or now and then anything."""
        stream = f"collaboration-{split_stream(self.application(who))[1]}"
        state = self.world.state(stream)
        if state.contract is None:
            return
        one = state.deliverables[index]
        commands = self.next_steps(one, verdict, CREATORS[who])
        likely = {
            S.OPEN: (0, 1), S.OUTLINED: (1,), S.REVISION_REQUESTED: (0, 1), S.DRAFT_SUBMITTED: (2,),
            S.OUTLINE_SUBMITTED: (3, 4), S.IN_REVIEW: (3, 4), S.IN_RULING: (5, 6), S.APPROVED: (7, 8),
            S.SCHEDULED: (8,), S.PUBLISHED: (9, 10), S.TAKEN_DOWN: (8,), S.VERIFIED: (10,), S.PAYING: (11,),
        }.get(one.stage, ())  # fmt: skip
        choices = range(len(commands)) if wild > 6 or not likely else likely
        self.send(stream, *commands[choices[wild % len(choices)]])

    def next_steps(self, one: Any, verdict: Verdict, creator: Actor) -> list[tuple[Any, Actor]]:
        self.submissions += 1
        key, now, new = one.terms.deliverable_id, one.submission_id, derived_id("submission", str(self.submissions))
        label = LABEL if verdict is Verdict.CLEAR else ""
        return [
            (SubmitContent(key, new, SubmissionStage.OUTLINE, TEXT), creator),
            (SubmitContent(key, new, SubmissionStage.DRAFT, TEXT), creator),
            (RecordReview(key, now, verdict, 0, label, LabelPlacement.TEXT_START), SYSTEM),
            (ApproveContent(key, now), BRAND),
            (RequestRevision(key, now, ("Again",)), BRAND),
            (RuleContent(key, now, True), OPERATOR),
            (RuleContent(key, now, False), OPERATOR),
            (ScheduleContent(key, self.world.at + timedelta(hours=1)), creator),
            (PublishContent(key, f"post {self.submissions}", "https://post.test", f"{LABEL} A serum"), creator),
            (VerifyContent(key, "look"), SYSTEM),
            (TakeDownContent(key, "content.gone"), SYSTEM),
            (SettleDeliverable(key, "release", 1), SYSTEM),
        ]

    @rule(which=st.integers(0, 10_000))
    def retry(self, which: int) -> None:
        """Any earlier command again, as a lost answer makes its sender do."""
        self.send(*self.sent[which % len(self.sent)])

    @invariant()
    def the_budget_holds(self) -> None:
        """What is committed is what the contracts can cost less what came back, and within the budget."""
        row: Budget = self.world.head.rows["budgets", (CAMPAIGN_ID,)]
        committed_minor = 0
        for fact in self.world.events:
            match fact.event:
                case ApplicationAccepted(contract=contract):
                    committed_minor += contract.committed_minor
                case ApplicationReleased() | CollaborationCancelled() | DeliverableLapsed() | DeliverableSettled():
                    committed_minor -= fact.event.freed_minor
        assert row.committed_minor == committed_minor
        assert 0 <= row.committed_minor <= row.budget_minor

    @invariant()
    def what_is_over_costs_what_it_was_worth(self) -> None:
        """Nothing is freed twice: ended work keeps its kill fee, settled work its price, nothing more."""
        freed: dict[str, int] = {}
        for fact in self.world.events:
            match fact.event:
                case CollaborationCancelled(deliverables=ended):
                    parts = [(each.deliverable_id, each.freed_minor) for each in ended]
                case DeliverableLapsed(ended=one):
                    parts = [(one.deliverable_id, one.freed_minor)]
                case DeliverableSettled(deliverable_id=deliverable_id, freed_minor=freed_minor):
                    parts = [(deliverable_id, freed_minor)]
                case _:
                    parts = []
            for deliverable_id, freed_minor in parts:
                assert deliverable_id not in freed, "a deliverable ends once"
                freed[deliverable_id] = freed_minor
        assert {one for one, stage in self.stages().items() if stage in OVER} == set(freed)

    @invariant()
    def every_stage_has_a_way_out(self) -> None:
        """A deliverable's clock is the one the deadlines hold; without one it waits, is over, or a dispute stops it."""
        for stream, state in self.collaborations():
            for one in state.deliverables:
                row = self.world.head.rows.get(("deadlines", (stream, one.terms.deliverable_id)))
                if one.stage is S.WAITING:
                    assert state.due_at is not None
                elif one.stage in OVER:
                    assert (one.due_at, row) == (None, None)
                elif state.disputed_at is None and one.stage is not S.PAYING:
                    assert row is not None
                    assert row.due_at == one.due_at

    @invariant()
    def a_settled_collaboration_has_no_open_work(self) -> None:
        for _, state in self.collaborations():
            if state.status is Status.SETTLED:
                assert all(one.stage in OVER for one in state.deliverables)


def _decoded(row: Any) -> Any:
    return CODEC.decode(row.command, row.data.encode())


TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_the_machine_reaches_the_end() -> None:
    """The rules lead to a settled collaboration when they are followed: the machine is not vacuous."""
    machine = Campaigns()
    machine.publish_campaign(shipped=False, outline=False, budget_minor=300_000)
    machine.offer(0, 10_000, False)
    machine.answer(0, True, 1, 1, 5)
    machine.contract(0, 1)
    machine.steer_collaboration(0, 0, 0)
    for index in (0, 1):
        for wild in (1, 0, 0, 1, 0):
            machine.work(0, index, Verdict.CLEAR, wild)
    machine.time_passes(60 * 24 * 3)
    for index in (0, 1):
        machine.work(0, index, Verdict.CLEAR, 0)
    ((_, state),) = machine.collaborations()
    assert state.status is Status.SETTLED, machine.stages()
