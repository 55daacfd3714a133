"""Looks at profiles for the codes of proofs."""

import hmac
import re
import unicodedata
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.faults import Fault
from kernel.core.ids import stream_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.processes import Effect, waits
from services.discovery.domain.commands import VerifyAccount
from services.discovery.domain.proofs.events import ProofLookRequested
from services.discovery.domain.proofs.proof import METHOD, RecordProofLook
from services.discovery.effects.told import meta, opened
from services.discovery.ports.profiles import Profiles, Unreadable

CODE = re.compile(r"dandelion-[a-z2-7]{16}")


def looking_at_profiles(app: App, profiles: Profiles) -> Effect:
    """Where the code is there, the verification and the end of the proof are one transaction."""

    async def perform(incoming: Delivered[Any]) -> None:
        asked: ProofLookRequested = incoming.event
        (code,), key = await opened(app, asked.creator_id, f"proof.{asked.account.platform}")
        missed = await _missed(profiles, asked, code, incoming.id)
        if not missed and key is not None:
            command = VerifyAccount(asked.account, METHOD)
            stream = stream_id("creator", asked.creator_id)
            verified = QueuedCommand(stream, command, meta(incoming, "verified"), key=key)
            missed = await _both(app, [verified, _recorded(incoming, asked.look, "")])
        if missed:
            await app.writer.execute_group([_recorded(incoming, asked.look, missed)], _nothing)

    return Effect("look-at-profiles", (ProofLookRequested,), perform)


async def _both(app: App, commands: list[QueuedCommand]) -> str:
    """ "" once both are decided; the code of the first refusal, with nothing written. Raises a fault that waits."""
    for result in await app.writer.execute_group(commands, _nothing):
        if isinstance(result.fault, Fault) and not waits(result.fault):
            return result.fault.code
        if result.fault is not None:
            raise result.fault
    return ""


async def _nothing(connection: AsyncConnection) -> bool:
    return True


def _recorded(incoming: Delivered[Any], look: int, missed: str) -> QueuedCommand:
    return QueuedCommand(incoming.stream, RecordProofLook(look, missed), meta(incoming, "recorded"))


async def _missed(profiles: Profiles, asked: ProofLookRequested, code: str, key: str) -> str:
    """Why the profile proves nothing; "" where it does. A code that ran out while the platform was away proves nothing."""
    if not code or not asked.account.handle:
        return "proof.code_gone"
    if system_clock() >= asked.expires_at:
        return "proof.code_expired"
    seen = await profiles.look(asked.account.platform.value, asked.account.handle, key)
    if seen is None:
        return "profile.not_found"
    if isinstance(seen, Unreadable):
        return seen.reason
    return "" if has_code(seen.bio, code) else "proof.code_not_in_bio"


def has_code(bio: str, code: str) -> bool:
    """Whether the bio has the code, however the platform writes letters; each candidate is compared in constant time."""
    words = CODE.findall(unicodedata.normalize("NFKC", bio).casefold())
    return any(hmac.compare_digest(word.encode(), code.encode()) for word in words)
