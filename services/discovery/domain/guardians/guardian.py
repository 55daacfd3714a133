"""Decisions about guardians' consents, and the bar on new work that follows from age and consent.

Only the year of birth is known, so who may still be a minor counts as one (Advertising Law of the PRC, Art. 33; Measures on live
marketing: from 16, under 18 with consent). Nobody who may be under 10 endorses anything, with whatever consent (Art. 38).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Annotated, Protocol, TypeVar

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from services.discovery.domain.checks import checked_line
from services.discovery.domain.guardians.events import (
    GuardianConsented,
    GuardianConsentWithdrawn,
    Relation,
)
from services.discovery.domain.profile import Profile, may_be_minor

TEXT_VERSION = "2026-12-01"
"""Of the form that guardians sign; who consented to an earlier one consents anew."""
ENDORSER_AGE = 10
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GiveGuardianConsent:
    """A guardian signed the form; `evidence_sha256` is of the file that was signed."""

    guardian: Annotated[str, Asked(Len(1, 80))]
    relation: Relation
    evidence_sha256: str


@dataclass(frozen=True, slots=True)
class WithdrawGuardianConsent:
    """The guardian took the consent back."""


GuardianCommand = GiveGuardianConsent | WithdrawGuardianConsent


class Minded(Protocol):
    """What the bar follows from: part of a creator's state."""

    @property
    def profile(self) -> Profile | None: ...
    @property
    def guardian(self) -> GuardianConsented | None: ...
    @property
    def barred(self) -> bool: ...


def consent(
    command: GuardianCommand, state: Minded, context: Context
) -> Sequence[GuardianConsented | GuardianConsentWithdrawn]:
    """Raises Invalid for a malformed name or hash, Refused `guardian.not_needed` for who is of age."""
    if isinstance(command, WithdrawGuardianConsent):
        return [] if state.guardian is None else [GuardianConsentWithdrawn()]
    if not _SHA256.fullmatch(command.evidence_sha256):
        raise Invalid("guardian.hash_malformed", field="evidence_sha256", expected="64 hexadecimal digits")
    year = state.profile.birth_year if state.profile else None
    if year is None or not may_be_minor(year, context.at):
        raise Refused("guardian.not_needed", do="nothing: a creator of age agrees by itself")
    name = checked_line(command, "guardian")
    told = GuardianConsented(name, command.relation, command.evidence_sha256, TEXT_VERSION, context.at)
    same = state.guardian is not None and replace(state.guardian, consented_at=context.at) == told
    return [] if same else [told]


def is_barred(state: Minded, at: datetime) -> bool:
    year = state.profile.birth_year if state.profile else None
    if year is None or not may_be_minor(year, at):
        return False
    return state.guardian is None or state.guardian.text_version != TEXT_VERSION or at.year - year <= ENDORSER_AGE


C = TypeVar("C")
S = TypeVar("S", bound=Minded)
E = TypeVar("E")


def minding(
    decide: Callable[[C, S, Context], Sequence[E]],
    evolve: Callable[[S, E], S],
    bar: Callable[[bool], E],
    beside: tuple[type, ...] = (),
) -> Callable[[C, S, Context], Sequence[E]]:
    """`decide`, and after whatever it decides the bar as it then has to be: age and consent move it, whoever moved these.

    `beside` are the events that move neither: they are not folded for it, as there are many in an import."""

    def decided(command: C, state: S, context: Context) -> Sequence[E]:
        events = list(decide(command, state, context))
        after = reduce(evolve, (event for event in events if not isinstance(event, beside)), state)
        barred = is_barred(after, context.at)
        return events if barred == after.barred else [*events, bar(barred)]

    return decided
