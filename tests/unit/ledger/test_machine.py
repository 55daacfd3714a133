"""Random histories keep every invariant; each rule that guards them, switched off, is noticed."""

from collections.abc import Callable, Iterable, Mapping

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kernel.core.decider import Key
from services.ledger.domain import fees, posting, rows
from services.ledger.domain.accounts import Account
from services.ledger.domain.transfers import Leg, apply_legs
from tests.kit.histories import histories
from tests.unit.ledger.machine import LedgerMachine
from tests.unit.ledger.world import FORGETFUL

QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
HISTORIES, OF_A_MUTANT = 60, 300
"""A mutant is looked for in more histories than the rules are held to: its search ends at the first that notices it."""
Mutate = Callable[[pytest.MonkeyPatch], None]


def run(count: int = HISTORIES) -> None:
    """The same histories in every run: a red run is red again."""
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=histories(count), stateful_step_count=50, deadline=None, derandomize=True, database=None,
            suppress_health_check=QUIET, phases=[Phase.generate],
        ),
    )  # fmt: skip


def test_every_history_keeps_the_invariants() -> None:
    run()


def atomicity_off(patch: pytest.MonkeyPatch) -> None:
    def all_but_the_last(accounts: Mapping[Key, Account], legs: Iterable[Leg]) -> dict[Key, Account]:
        kept = list(legs)
        return apply_legs(accounts, kept[:-1] if len(kept) > 2 else kept)

    patch.setattr(rows, "apply_legs", all_but_the_last)


def bounds_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(posting, "check_bounds", lambda after: None)


def idempotency_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LedgerMachine, "service", FORGETFUL)


def remainder_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fees, "remainder", lambda total, *taken: (total - sum(taken)) * 99_999 // 100_000)


def funding_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(posting, "funding_legs", lambda row, accounts, legs: ())


def recovery_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(posting, "recovery_legs", lambda accounts, legs: ())


MUTATIONS = [atomicity_off, bounds_off, idempotency_off, remainder_off, funding_off, recovery_off]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_a_rule_switched_off_is_noticed(mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        run(OF_A_MUTANT)
