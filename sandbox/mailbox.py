"""A mailbox: letters that the platform sent, by address, for whoever plays their reader. `@refused.example` has no mailbox."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.settings import SandboxSettings
from sandbox.store import Store

LETTERS = 5_000
"""Kept; older ones are thrown away."""
SHOWN = 50


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    to: Annotated[str, Field(min_length=3, max_length=254)]
    subject: Annotated[str, Field(max_length=500)]
    text: Annotated[str, Field(max_length=20_000)]


@dataclass(frozen=True, slots=True)
class Letter:
    to: str
    subject: str
    text: str


class Mailbox:
    """The same letter again is one letter; some first tries meet a busy server."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings, self._chance = settings, Chance(settings.seed)
        self._letters: Bounded[Letter] = Bounded(LETTERS, store.shelf("letter", asdict, lambda saved: Letter(**saved)))
        self._tried: Bounded[bool] = Bounded(LETTERS)

    def put(self, letter_id: str, letter: Letter) -> None:
        if letter.to.endswith("@refused.example"):
            raise HTTPException(422, "no such mailbox")
        first = self._tried.get(letter_id) is None
        self._tried.put(letter_id, True)
        if first and self._chance.hits(letter_id, "mail busy", self._settings.platform_busy_bps):
            raise HTTPException(503, "busy")
        self._letters.put(letter_id, letter)

    def of(self, address: str) -> list[Letter]:
        """The newest first."""
        return [one for one in reversed(self._letters.values()) if one.to == address][:SHOWN]


def router(settings: SandboxSettings, store: Store) -> APIRouter:
    """`/mailbox`."""
    mailbox = Mailbox(settings, store)
    made = APIRouter(prefix="/mailbox", tags=["mailbox"])

    @made.put("/letters/{letter_id}", status_code=204)
    async def put(letter_id: Annotated[str, InPath(min_length=1, max_length=100)], written: Written) -> None:
        """Takes a letter; the same id again is the same letter."""
        mailbox.put(letter_id, Letter(written.to, written.subject, written.text))

    @made.get("/{address}")
    async def read(address: Annotated[str, InPath(min_length=3, max_length=254)]) -> list[dict[str, Any]]:
        """Letters to an address, the newest first; at most 50."""
        return [asdict(one) for one in mailbox.of(address)]

    return made
