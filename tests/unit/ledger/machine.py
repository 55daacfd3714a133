"""The ledger as a Hypothesis state machine: random business steps, retries of any earlier command, all invariants after each."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from kernel.core.decider import Actor
from kernel.core.faults import Conflict, Refused
from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    CancelEscrow,
    ClawBackPayment,
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
    IdentifyMoney,
    PayInOwnMoney,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    SettleLine,
    Weight,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit
from services.ledger.wiring import SERVICE
from tests.unit.ledger.world import (
    AGENCY,
    BRANDS,
    CREATOR,
    CREATORS,
    FINANCE,
    SECOND_CREATOR,
    SYSTEM,
    World,
    check_invariants,
    days,
    hold_command,
)

EXPECTED = {
    "account.bound_crossed", "payout.more_than_available",
    "transfer.not_now", "chain.exists_with_other_input", "deposit.not_confirmed", "deposit.not_pending",
    "deposit.case_unknown", "deposit.disputed", "deposit.reversal_too_large",
    "escrow.already_released", "escrow.nothing_changes", "escrow.not_held",
    "escrow.not_released", "escrow.revision_is_old", "escrow.terms_differ", "payout.client_money_short", "payout.not_pending",
    "refund.more_than_deposited", "refund.not_pending", "settlement.more_than_due", "settlement.more_than_owed",
    "settlement.more_than_returned", "settlement.more_than_sent", "settlement.settled_before",
}  # fmt: skip
"""Refusals a correct ledger may give here; any other (an escrow that cannot be closed, say) is a defect."""
AMOUNTS = st.integers(1, 40_000)
SHARES = st.integers(0, 1_000)


class LedgerMachine(RuleBasedStateMachine):
    service = SERVICE
    deposits = Bundle("deposits")
    escrows = Bundle("escrows")
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.service, {CREATOR: "CN", SECOND_CREATOR: "US"})
        self.accepted: list[tuple[Command, Actor]] = []
        self.cases = dict[str, list[str]]()
        self.count = 0

    def _id(self, noun: str) -> str:
        self.count += 1
        return derived_id(noun, str(self.count))

    def _run(self, command: Command, actor: Actor = SYSTEM) -> bool:
        if actor is FINANCE:
            self.world.agree_on(command)
        before = dict(self.world.rows)
        try:
            self.world.run(command, actor)
        except (Refused, Conflict) as fault:
            if fault.code not in EXPECTED:
                raise AssertionError(str(fault)) from fault
            assert self.world.rows == before, "a refused command changed something"
            return False
        self.accepted.append((command, actor))
        return True

    @initialize(target=deposits, amounts=st.tuples(AMOUNTS, AMOUNTS), fee_bps=st.integers(0, 100))
    def brands_have_paid_in(self, amounts: tuple[int, int], fee_bps: int) -> Any:
        """Most histories need money in the bank before they become interesting."""
        self.own_money(5_000)
        made = [self.request_deposit(amount + 60_000, brand) for amount, brand in zip(amounts, BRANDS, strict=True)]
        for deposit in made:
            self.confirm_deposit(deposit, 0)
            self.settle(deposit, fee_bps)
        return multiple(*made)

    @rule(amount=AMOUNTS)
    def own_money(self, amount: int) -> None:
        self._run(PayInOwnMoney(self._id("own"), "CNY", amount), FINANCE)

    @rule(target=deposits, amount=AMOUNTS, brand=st.sampled_from(sorted(BRANDS)))
    def request_deposit(self, amount: int, brand: str) -> tuple[str, int]:
        id_ = self._id("deposit")
        self._run(RequestDeposit(id_, brand, "CNY", amount, "tok"), BRANDS[brand])
        return id_, amount

    @rule(deposit=deposits, other=st.sampled_from([0, 0, 0, 7]))
    def confirm_deposit(self, deposit: tuple[str, int], other: int) -> None:
        self._run(ConfirmDeposit(deposit[0], "CNY", deposit[1] + other, "ch"))

    @rule(deposit=deposits)
    def fail_deposit(self, deposit: tuple[str, int]) -> None:
        self._run(FailDeposit(deposit[0], "declined"))

    @rule(deposit=deposits, fee_bps=st.integers(0, 500))
    def settle(self, deposit: tuple[str, int], fee_bps: int) -> None:
        fee = deposit[1] * fee_bps // 10_000
        self._run(SettleLine("batch", self._id("line"), deposit[0], "CNY", deposit[1], fee))

    @rule(deposit=deposits, gross=st.integers(-40_000, 40_000), fee=st.integers(0, 200))
    def settle_a_part_or_keep_some(self, deposit: tuple[str, int], gross: int, fee: int) -> None:
        if gross or fee:
            fee = min(fee, gross) if gross > 0 else fee
            self._run(SettleLine("batch", self._id("line"), deposit[0], "CNY", gross, fee))

    @rule(deposit=deposits, share=st.integers(1, 10_000), fee=st.integers(0, 200))
    def reverse(self, deposit: tuple[str, int], share: int, fee: int) -> None:
        amount, case = max(1, deposit[1] * share // 10_000), self._id("case")
        if self._run(ReverseDeposit(deposit[0], case, "CNY", amount, fee, "fraudulent")):
            self.cases.setdefault(deposit[0], []).append(case)

    @rule(deposit=deposits, share=st.integers(1, 10_000))
    def restore(self, deposit: tuple[str, int], share: int) -> None:
        case = self.cases.get(deposit[0], ["none"])[-1]
        row = self.world.rows.get(("transfers", (deposit[0],)))
        amount = max(1, (row.reversed_minor if row else 0) * share // 10_000)
        self._run(RestoreDeposit(deposit[0], case, "CNY", amount))

    @rule(transfer=sent)
    def give_back(self, transfer: tuple[TransferKind, str]) -> None:
        self._run(ReturnTransfer(*transfer, "closed"))

    @rule(transfer=sent, gross=st.integers(-40_000, 40_000), whole=st.booleans(), fee=st.integers(0, 200))
    def settle_what_was_sent(self, transfer: tuple[TransferKind, str], gross: int, whole: bool, fee: int) -> None:
        row = self.world.rows[("transfers", (transfer[1],))]
        gross = -row.amount_minor if whole else gross
        if gross or fee:
            fee = min(fee, gross) if gross > 0 else fee
            self._run(SettleLine("batch", self._id("line"), transfer[1], "CNY", gross, fee, transfer[0]))

    @rule(amount=AMOUNTS, brand=st.sampled_from(sorted(BRANDS)))
    def unknown_money_is_identified(self, amount: int, brand: str) -> None:
        self._run(SettleLine("batch", self._id("line"), "nobody's", "CNY", amount, 0))
        self._run(IdentifyMoney(self._id("found"), brand, "CNY", amount, "letter"), FINANCE)

    @rule(
        target=escrows, fee=AMOUNTS, brand_fee=st.integers(0, 4_000), brand=st.sampled_from(sorted(BRANDS)),
        creator=st.sampled_from(sorted(CREATORS)), agency_bps=st.sampled_from([0, 1_777]),
        jurisdiction=st.sampled_from(["CN", "US"]),
    )  # fmt: skip
    def hold(self, fee: int, brand_fee: int, brand: str, creator: str, agency_bps: int, jurisdiction: str) -> Any:
        terms = {
            "brand_id": brand, "creator_id": creator, "agency_bps": agency_bps, "jurisdiction": jurisdiction,
            "agency_id": AGENCY if agency_bps else "",
        }  # fmt: skip
        id_ = self._id("deliverable")
        self._run(hold_command(id_, fee, brand_fee, **terms))
        return {"id": id_, "terms": terms} if ("escrows", (id_,)) in self.world.rows else multiple()

    @rule(escrow=escrows, fee=AMOUNTS, brand_fee=st.integers(0, 4_000), revision=st.integers(2, 5))
    def change_scope(self, escrow: dict[str, Any], fee: int, brand_fee: int, revision: int) -> None:
        self._run(hold_command(escrow["id"], fee, brand_fee, revision=revision, **escrow["terms"]))

    @rule(escrow=escrows, part=st.integers(1, 10_000), fee_bps=SHARES, weights=st.tuples(SHARES, SHARES))
    def release(self, escrow: dict[str, Any], part: int, fee_bps: int, weights: tuple[int, int]) -> None:
        row = self.world.rows.get(("escrows", (escrow["id"],)))
        fee, brand_fee = (row.fee_left_minor, row.brand_fee_left_minor) if row else (1, 0)
        if part < 5_000:
            fee, brand_fee = max(fee * part // 10_000, 1), brand_fee * part // 10_000
        both = (Weight(CREATOR, weights[0]), Weight(SECOND_CREATOR, weights[1])) if sum(weights) > 900 else ()
        creator = escrow["terms"]["creator_id"]
        fee = min(fee, row.fee_left_minor) if row and row.status == "held" else fee
        if fee + brand_fee:
            self._run(ReleasePayment(self._id("r"), escrow["id"], creator, "CNY", fee, brand_fee, fee_bps, both))

    @rule(escrow=escrows, kill_bps=st.integers(0, 10_000))
    def cancel(self, escrow: dict[str, Any], kill_bps: int) -> None:
        row, terms = self.world.rows.get(("escrows", (escrow["id"],))), escrow["terms"]
        kill = row.fee_left_minor * kill_bps // 10_000 if row else 0
        brand, creator = terms["brand_id"], terms["creator_id"]
        self._run(CancelEscrow(self._id("c"), escrow["id"], brand, creator, "CNY", kill, 500, "brand.cancelled"))

    @rule(escrow=escrows, share_bps=st.integers(1, 10_000))
    def claw_back(self, escrow: dict[str, Any], share_bps: int) -> None:
        row, terms = self.world.rows.get(("escrows", (escrow["id"],))), escrow["terms"]
        left = row.fee_minor - row.clawed_back_minor if row else 0
        amount = max(1, left * share_bps // 10_000)
        if left:
            brand, creator = terms["brand_id"], terms["creator_id"]
            self._run(ClawBackPayment(self._id("claw"), escrow["id"], brand, creator, "CNY", amount))

    @rule(target=sent, share=st.integers(1, 10_000), more=SHARES)
    def payout(self, share: int, more: int) -> Any:
        creator = max(CREATORS, key=lambda id_: self.world.account(Code.CREATOR_AVAILABLE, id_).spendable_minor)
        there = self.world.account(Code.CREATOR_AVAILABLE, creator).spendable_minor
        amount = max(1, there * share // 10_000 + (more if more > 990 else 0))
        id_ = self._id("payout")
        command = RequestPayout(id_, creator, Code.CREATOR_AVAILABLE, "CNY", amount, "acct")
        return (TransferKind.PAYOUT, id_) if self._run(command, CREATORS[creator]) else multiple()

    @rule(target=sent, deposit=deposits, amount=AMOUNTS)
    def refund(self, deposit: tuple[str, int], amount: int) -> Any:
        id_ = self._id("refund")
        command = RequestRefund(id_, deposit[0], min(amount, deposit[1]))
        return (TransferKind.REFUND, id_) if self._run(command, FINANCE) else multiple()

    @rule(transfer=sent, arrived=st.booleans(), fee=st.integers(0, 200))
    def conclude(self, transfer: tuple[TransferKind, str], arrived: bool, fee: int) -> None:
        self._run(ConfirmTransfer(*transfer, "po", fee) if arrived else FailTransfer(*transfer, "closed"))

    @rule(count=st.integers(1, 70))
    def time_passes(self, count: int) -> None:
        self.world.at += days(count)

    @rule(which=st.integers(0, 1_000))
    def retry_any_earlier_command(self, which: int) -> None:
        if not self.accepted:
            return
        before = dict(self.world.rows)
        command, actor = self.accepted[which % len(self.accepted)]
        try:
            events = self.world.run(command, actor)
        except (Refused, Conflict) as fault:
            raise AssertionError(f"a repeat was refused: {fault}") from fault
        assert events == []
        assert self.world.rows == before, "a repeat changed something"

    @invariant()
    def books_are_sound(self) -> None:
        check_invariants(self.world)

    @invariant()
    def who_owes_has_nothing_free(self) -> None:
        """A debt is paid first, whatever brings the money and in whatever order it comes."""
        pairs = [(Code.BRAND_AVAILABLE, Code.BRAND_RECEIVABLE, BRANDS)]
        pairs.append((Code.CREATOR_AVAILABLE, Code.CREATOR_RECEIVABLE, CREATORS))
        for home, debt, owners in pairs:
            for owner in owners:
                owed, free = (self.world.account(code, owner).spendable_minor for code in (debt, home))
                assert min(owed, free) == 0, (owner, owed, free)
