"""What must hold of campaigns after every command, whatever came before."""

from hypothesis.stateful import RuleBasedStateMachine, invariant

from kernel.core.decider import Actor
from kernel.core.ids import derived_id, split_stream
from services.campaigns.domain.application.state import Status as ApplicationStatus
from services.campaigns.domain.collaboration.deliverable import AT_THE_LEDGER, CLOSED, OVER, PAID, Deliverable, Stage
from services.campaigns.domain.collaboration.state import State, Status
from services.campaigns.domain.shared.budget import Budget
from services.campaigns.domain.shared.contract import application_id
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    DeliverableLapsed,
    DeliverableSettled,
    Ended,
)
from services.campaigns.process.clocks import DISPUTE, RETRY
from tests.kit.campaigns import CAMPAIGN_ID
from tests.kit.decide import World

CREATORS = [Actor(f"creator {n}", derived_id("creator", str(n)), frozenset({"creator"})) for n in range(3)]


class Holds(RuleBasedStateMachine):
    """The invariants of a world with one campaign and three creators."""

    world: World

    def collaborations(self) -> list[tuple[str, State]]:
        found = [(stream, state) for stream, state in self.world.states.items() if isinstance(state, State)]
        return [(stream, state) for stream, state in found if state.contract is not None]

    def stages(self) -> dict[str, Stage]:
        return {one.terms.deliverable_id: one.stage for _, state in self.collaborations() for one in state.deliverables}

    def application(self, who: int) -> str:
        return f"application-{application_id(CAMPAIGN_ID, CREATORS[who].tenant)}"

    def collaboration(self, who: int) -> str:
        """The stream of what came, or is to come, of the creator's last agreement."""
        application = self.application(who)
        return f"collaboration-{self.world.state(application).collaboration_id or split_stream(application)[1]}"

    @invariant()
    def the_budget_holds(self) -> None:
        """What is committed is what open work can cost, settled work did cost, and ended work still costs."""
        row: Budget = self.world.row("budgets", CAMPAIGN_ID)
        assert row.committed_minor == sum(self.cost_minor(who) for who in range(len(CREATORS)))
        assert 0 <= row.committed_minor <= row.budget_minor

    def cost_minor(self, who: int) -> int:
        """Of a creator: what it agreed to and has no contract of yet, and all collaborations that it had."""
        application, work = self.world.state(self.application(who)), self.world.state(self.collaboration(who))
        is_to_come = application.status is ApplicationStatus.ACCEPTED and work.contract is None
        kill_minor = {one.deliverable_id: one.kill_fee_minor for one in self.ended()}
        works = [one for state in self.had(who) for one in state.deliverables]
        done_minor = sum(kill_minor.get(one.terms.deliverable_id, _cost_minor(one)) for one in works)
        return done_minor + (application.committed_minor if is_to_come else 0)

    def had(self, who: int) -> list[State]:
        states = [state for _, state in self.collaborations()]
        return [one for one in states if one.contract and one.contract.value.creator_id == CREATORS[who].tenant]

    def ended(self) -> list[Ended]:
        found: list[Ended] = []
        for fact in self.world.events:
            match fact.event:
                case CollaborationCancelled(deliverables=ended):
                    found += ended
                case DeliverableLapsed(ended=one):
                    found.append(one)
        return found

    @invariant()
    def a_deliverable_ends_once(self) -> None:
        events = [fact.event for fact in self.world.events]
        over = [event.deliverable_id for event in events if isinstance(event, DeliverableSettled)]
        over += [one.deliverable_id for one in self.ended()]
        assert len(over) == len(set(over))
        assert {one for one, stage in self.stages().items() if stage in CLOSED} == set(over)

    @invariant()
    def every_stage_has_a_way_out(self) -> None:
        """A deliverable's clock is the one the deadlines hold, or, while a dispute stops it, the dispute has one."""
        for stream, state in self.collaborations():
            dispute = self.world.row("deadlines", stream, DISPUTE)
            assert (dispute.due_at if dispute else None) == state.dispute_due_at
            assert (dispute is None) == (state.disputed_at is None)
            for one in state.deliverables:
                row = self.world.row("deadlines", stream, one.terms.deliverable_id)
                if one.stage is Stage.WAITING:
                    assert state.due_at is not None
                elif one.stage in OVER:
                    assert (one.due_at, row) == (None, None)
                elif state.disputed_at is None or one.stage in AT_THE_LEDGER:
                    assert row is not None
                    assert row.due_at == one.due_at

    @invariant()
    def a_pair_has_one_collaboration_at_work(self) -> None:
        for who in range(len(CREATORS)):
            at_work = [one for one in self.had(who) if one.status in (Status.CONTRACTED, Status.FUNDED)]
            assert len(at_work) <= 1

    @invariant()
    def who_waits_for_money_has_a_contract_and_a_clock(self) -> None:
        for stream, state in self.collaborations():
            row = self.world.row("deadlines", stream, RETRY)
            assert (row.due_at if row else None) == state.funding_retry_at
            assert not state.funding_waits_for or (state.status is Status.CONTRACTED and state.due_at is not None)

    @invariant()
    def a_settled_collaboration_has_no_open_work(self) -> None:
        settled = [state for _, state in self.collaborations() if state.status is Status.SETTLED]
        assert all(one.stage in CLOSED for state in settled for one in state.deliverables)


def _cost_minor(one: Deliverable) -> int:
    return one.terms.escrow_minor if one.stage in PAID else one.terms.committed_minor
