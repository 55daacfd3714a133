"""One deliverable in its collaboration at the moment of a decision, and who may decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.core.decider import Context
from kernel.core.faults import Forbidden, Refused
from services.campaigns.domain.collaboration.deliverable import Deliverable
from services.campaigns.domain.shared.contract import Contract


@dataclass(frozen=True, slots=True)
class Work:
    """One deliverable in its collaboration, the moment it is decided on, and whether the creator has the product. An open
    dispute has stopped the clocks for `paused` so far."""

    contract: Contract
    deliverable: Deliverable
    context: Context
    product_received: bool
    paused: timedelta = timedelta(0)

    def after(self, seconds: int) -> datetime:
        """So many seconds from now; while a dispute is open, from its opening: the ruling adds the whole time of the dispute to
        every clock that it stopped."""
        return self.after_paused(self.context.at + timedelta(seconds=seconds))

    def after_paused(self, due_at: datetime) -> datetime:
        """A time as the clocks have it, which a dispute stops."""
        return due_at - self.paused

    def unstopped(self, seconds: int) -> datetime:
        """So many seconds from now, for a clock that no dispute stops: the ledger has been asked."""
        return self.context.at + timedelta(seconds=seconds)

    def by_creator(self) -> None:
        """Forbidden for anyone but the creator."""
        if self.context.actor.tenant != self.contract.creator_id:
            raise Forbidden("collaboration.only_the_creator")

    def by_brand(self) -> None:
        """Forbidden for anyone but the brand."""
        if self.context.actor.tenant != self.contract.brand_id:
            raise Forbidden("collaboration.only_the_brand")

    def refuse(self, code: str) -> Refused:
        """The refusal, with the stage in its facts."""
        return Refused(code, stage=self.deliverable.stage.value, deliverable_id=self.deliverable.terms.deliverable_id)

    def check_current(self, submission_id: str) -> None:
        """Refuses a decision about anything but the newest submission."""
        if submission_id != self.deliverable.submission_id:
            raise self.refuse("content.submission_superseded")
