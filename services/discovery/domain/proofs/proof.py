"""The proof that a creator controls an account: a code, put into the account's bio and seen there by the platform's own answer.

No person's word decides: who can write the bio has the account. Only the account's creator asks for a code and for looks. What
is seen comes back as a command of the effect, in one transaction with the verification itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from dandelion_posts.authors import handle_key

from kernel.core.decider import Actor, Context, Decider, InlineTable, Key
from kernel.core.faults import Exhausted, Forbidden, Refused
from kernel.core.ids import derived_id, stream_id
from services.discovery.domain.handles import HANDLES, VERIFIED
from services.discovery.domain.profile import Account, Platform, checked_account
from services.discovery.domain.proofs.events import Event, ProofAccepted, ProofAsked, ProofLookRequested, ProofMissed

CODE_LIFE = timedelta(hours=12)
DAY = timedelta(days=1)
CODES_A_DAY = 5
LOOKS = 5
"""Looks with one code."""
METHOD = "code_in_bio"
"""How AccountVerified says that the account was proved."""


@dataclass(frozen=True, slots=True)
class AskProof:
    """A new code; `code_revision` is that of the sealed text."""

    creator_id: str
    account: Account
    code_revision: str


@dataclass(frozen=True, slots=True)
class RequestProofLook:
    """The creator has put the code into the bio."""

    creator_id: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class RecordProofLook:
    """By the effect: what look number `look` saw; `missed` is the reason for which it proves nothing, "" where it proves it."""

    look: int
    missed: str


Command = AskProof | RequestProofLook | RecordProofLook


@dataclass(frozen=True, slots=True)
class Proof:
    """`looks` with the newest code; `pending`: the newest has no answer yet; `asked` are the codes of the last day."""

    asked: tuple[datetime, ...] = ()
    standing: ProofAsked | None = None
    looks: int = 0
    pending: bool = False
    accepted: bool = False


INITIAL = Proof()


def proof_stream(creator_id: str, platform: Platform) -> str:
    return stream_id("proof", derived_id("proof", creator_id, platform.value))


def decide(command: Command, state: Proof, context: Context) -> Sequence[Event]:
    """Raises Forbidden for a stranger, Refused `proof.*` or `creator.*`, Exhausted `proof.too_many_*`."""
    match command:
        case AskProof():
            return [_ask(command, state, context)]
        case RequestProofLook():
            return _request(command, state, context)
        case RecordProofLook():
            context.actor.require("system")
            return _record(command, state)
        case _:
            assert_never(command)


def _ask(command: AskProof, state: Proof, context: Context) -> ProofAsked:
    _check_itself(command, context)
    account = checked_account(command.account)
    if context.rows.get(HANDLES, (account.platform, account.handle, command.creator_id)) is None:
        raise Refused("creator.account_not_linked", platform=account.platform, handle=account.handle)
    holder = context.rows.get(VERIFIED, (account.platform, account.handle))
    if holder is not None:
        own = holder.creator_id == command.creator_id
        raise Refused("proof.already_verified" if own else "creator.handle_taken", platform=account.platform)
    if len(_of_the_day(state, context.at)) >= CODES_A_DAY:
        raise Exhausted("proof.too_many_codes", limit=CODES_A_DAY, do="try again tomorrow")
    return ProofAsked(command.creator_id, account, command.code_revision, context.at, context.at + CODE_LIFE)


def _of_the_day(state: Proof, at: datetime) -> tuple[datetime, ...]:
    return tuple(one for one in state.asked if at - one < DAY)


def _request(command: RequestProofLook, state: Proof, context: Context) -> Sequence[Event]:
    _check_itself(command, context)
    asked = state.standing
    if asked is None or state.accepted:
        raise Refused("proof.no_code", do="ask for a code first")
    if state.pending:
        return []
    if context.at >= asked.expires_at:
        raise Refused("proof.code_expired", do="ask for a new code")
    if state.looks >= LOOKS:
        raise Exhausted("proof.too_many_looks", limit=LOOKS, do="ask for a new code")
    return [ProofLookRequested(asked.creator_id, asked.account, state.looks + 1, asked.expires_at)]


def _record(command: RecordProofLook, state: Proof) -> Sequence[Event]:
    """Nothing for a look that is answered already, or that a new code has overtaken."""
    asked = state.standing
    if asked is None or not state.pending or command.look != state.looks:
        return []
    if command.missed:
        return [ProofMissed(asked.creator_id, asked.account.platform, command.look, command.missed)]
    return [ProofAccepted(asked.creator_id, asked.account.platform, command.look)]


def _check_itself(command: AskProof | RequestProofLook, context: Context) -> None:
    if context.actor.tenant != command.creator_id:
        raise Forbidden("creator.not_a_party")


def evolve(state: Proof, event: Event) -> Proof:
    match event:
        case ProofAsked():
            asked = (*_of_the_day(state, event.asked_at), event.asked_at)[-CODES_A_DAY:]
            return Proof(asked, event)
        case ProofLookRequested(look=look):
            return replace(state, looks=look, pending=True)
        case ProofAccepted():
            return replace(state, pending=False, accepted=True)
        case ProofMissed():
            return replace(state, pending=False)
        case _:
            assert_never(event)


def reads(command: Command, state: Proof) -> Iterable[tuple[InlineTable[Any], Key]]:
    """The claim to the handle, and who was verified for it; total, also for malformed handles."""
    if not isinstance(command, AskProof):
        return ()
    account = replace(command.account, handle=handle_key(command.account.handle))
    place = (account.platform, account.handle)
    return [(HANDLES, (*place, command.creator_id)), (VERIFIED, place)]


def concerns(command: Command, state: Proof, actor: Actor) -> bool:
    return isinstance(command, RecordProofLook) or actor.tenant == command.creator_id


def owner(command: Command) -> str | None:
    return None if isinstance(command, RecordProofLook) else command.creator_id


PROOF: Decider[Command, Proof, Event] = Decider(
    "proof", INITIAL, decide, evolve, published=False, owner=owner, reads=reads, concerns=concerns
)
