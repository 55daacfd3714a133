"""Personal texts are sealed here, where they come in: inward of this only their revisions are known.

A revision is a keyed hash of the text under its subject's own key: the same text has the same revision (so a repeated
import changes nothing), another cannot be guessed from it, and it means nothing once the key is destroyed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import Personal, Sealed, SubjectKey
from kernel.core.clock import system_clock

KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SealedTexts:
    """What the writer stores beside the event, and the revisions that the event carries."""

    sealed: tuple[Sealed, ...]
    revisions: Mapping[str, str]
    key: SubjectKey
    """For the event's own personal fields. The sealed rows refer to the key's row: a key deleted meanwhile fails the append."""


def seal(key: SubjectKey, texts: Mapping[str, str]) -> SealedTexts:
    """Seals what is not empty."""
    given = {name: text for name, text in texts.items() if text}
    revisions = {name: revision_of(key, name, text) for name, text in given.items()}
    return SealedTexts(tuple(key.seal(name, revisions[name], text) for name, text in given.items()), revisions, key)


def revision_of(key: SubjectKey, name: str, text: str) -> str:
    return hashlib.blake2b(f"{name}\x1f{text}".encode(), key=key.data_key, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals texts of creators, making their keys where they have none."""

    database: Database
    personal: Personal

    async def seal(self, creator_id: str, texts: Mapping[str, str]) -> SealedTexts:
        return seal(await self.personal.make_key(self.database, creator_id, system_clock()), texts)

    async def seal_known(self, creator_id: str, texts: Mapping[str, str]) -> SealedTexts | None:
        """None for who has no key: nobody's key is made because somebody else names them."""
        async with self.database.reading() as connection:
            keys = await self.personal.keys(connection, [creator_id])
        return seal(keys[creator_id], texts) if keys else None

    async def keys(self, subjects: Sequence[str]) -> dict[str, SubjectKey]:
        """The keys of many subjects, set-wise."""
        found: dict[str, SubjectKey] = {}
        for start in range(0, len(subjects), KEYS_AT_ONCE):
            part = sorted(set(subjects[start : start + KEYS_AT_ONCE]))
            async with self.database.transaction() as connection:
                found |= await self.personal.make_keys(self.database, connection, part, system_clock())
        return found
