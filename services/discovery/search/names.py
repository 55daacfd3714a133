"""The text index: names, texts, tags, categories and places of creators, in memory. Rebuilt at start, then kept up.

Personal texts are decrypted into it and nowhere else; what is erased or changed leaves it at the next refresh. A query
refreshes first, so text is as fresh as the read model. Bounded by the read model: about a kilobyte a creator.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import Personal
from kernel.core.codec import adapter
from kernel.core.faults import Unavailable
from kernel.runtime.wakeup import Wakeup, wait
from services.discovery.domain.categories import FIRST_LEVEL, first_level
from services.discovery.domain.state import State
from services.discovery.search.words import WORD_CHARS, asked, normal, pairs, runs, tokens
from services.discovery.tables.creators import CREATORS

FIELDS = ("display_name", "bio")
REFRESH_ROWS = 200
LOOK_AGAIN_S = 1.0
EXPANSIONS = 2_000
"""A beginning of a word stands for at most so many words."""


@dataclass(frozen=True, slots=True)
class Document:
    """Normalised text per field, and its tokens."""

    fields: Mapping[str, str]
    tokens: frozenset[str]


@dataclass(slots=True)
class TextIndex:
    """Postings by token; words sorted for beginnings. Not locked: it never awaits while it changes."""

    documents: dict[str, Document] = field(default_factory=dict)
    postings: dict[str, set[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    stale_words: bool = False

    def put(self, creator_id: str, fields: Mapping[str, str]) -> None:
        """Replaces a creator's texts; without any text the creator is forgotten."""
        kept = {name: normal(text) for name, text in fields.items() if text}
        made = frozenset().union(*map(tokens, kept.values())) if kept else frozenset()
        before = self.documents.pop(creator_id, None)
        if kept:
            self.documents[creator_id] = Document(kept, made)
        self._post(creator_id, made, before.tokens if before else frozenset())

    def _post(self, creator_id: str, made: frozenset[str], before: frozenset[str]) -> None:
        for token in before - made:
            holders = self.postings[token]
            holders.discard(creator_id)
            if not holders:
                del self.postings[token]
                self.stale_words = True
        for token in made - before:
            if token not in self.postings:
                self.postings[token] = set()
                self.stale_words = True
            self.postings[token].add(creator_id)

    def find(self, query: str) -> set[str] | None:
        """Creators whose texts hold every part of the query; None when it has no part to look for."""
        parts = asked(query)
        if not parts:
            return None
        found: set[str] | None = None
        for run, unspaced in parts:
            holders = self._holding(run) if unspaced else self._beginning(run)
            found = holders if found is None else found & holders
        return found

    def _holding(self, run: str) -> set[str]:
        sets = sorted((self.postings.get(token, set()) for token in pairs(run)), key=len)
        candidates = set.intersection(*sets)
        return {one for one in candidates if any(run in text for text in self.documents[one].fields.values())}

    def _beginning(self, word: str) -> set[str]:
        """Tokens are cut after some characters: what a longer word asks for beyond them is looked up in the texts."""
        if self.stale_words:
            self.words, self.stale_words = sorted(self.postings), False
        indexed = word[:WORD_CHARS]
        at, found = bisect_left(self.words, indexed), set[str]()
        for known in self.words[at : at + EXPANSIONS]:
            if not known.startswith(indexed):
                break
            found |= self.postings[known]
        return found if indexed == word else {one for one in found if self._has_word(one, word)}

    def _has_word(self, creator_id: str, beginning: str) -> bool:
        texts = self.documents[creator_id].fields.values()
        return any(run.startswith(beginning) for text in texts for run, _ in runs(text))

    def matched(self, creator_id: str, query: str) -> list[str]:
        """In which fields the parts of a query stand, for the reasons of a hit."""
        document = self.documents.get(creator_id)
        parts = [run for run, _ in asked(query)]
        texts = document.fields.items() if document else ()
        return [name for name, text in texts if any(run in text for run in parts)]


class Names:
    """Keeps a TextIndex at the read model's state; one per process."""

    def __init__(self, database: Database, personal: Personal) -> None:
        self.index = TextIndex()
        self._database, self._personal = database, personal
        self._position = 0
        self._lock = asyncio.Lock()

    async def keep(self, progress: Wakeup, stop: asyncio.Event) -> None:
        """Follows the read model until `stop`, so that no query has much to wait for."""
        woken = progress.listen()
        try:
            while not stop.is_set():
                woken.clear()
                with suppress(Unavailable):
                    await self.refresh()
                await wait(woken, LOOK_AGAIN_S)
        finally:
            progress.leave(woken)

    async def refresh(self) -> None:
        """Takes in what changed since the last time."""
        async with self._lock:
            while await self._take():
                continue

    async def _take(self) -> bool:
        query = (
            sa.select(CREATORS.c.creator_id, CREATORS.c.position, CREATORS.c.state)
            .where(CREATORS.c.position > self._position)
            .order_by(CREATORS.c.position)
            .limit(REFRESH_ROWS)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            wanted = [(row.creator_id, name) for row in rows for name in FIELDS]
            texts = await self._personal.open_many(connection, wanted)
        for row in rows:
            mine = {name: texts.get((row.creator_id, name), "") for name in FIELDS}
            self.index.put(row.creator_id, mine | words_of(adapter(State).validate_json(row.state)))
        self._position = rows[-1].position if rows else self._position
        return len(rows) == REFRESH_ROWS


def words_of(state: State) -> dict[str, str]:
    """The texts of a creator that are not personal, by field."""
    profile = state.profile
    if profile is None:
        return {}
    return {
        "tags": " ".join(profile.tags),
        "categories": " ".join(_named(profile.categories)),
        "location": " ".join((profile.province, profile.city)),
        "handle": " ".join(account.handle for account in state.accounts),
    }


def _named(categories: Iterable[str]) -> Iterable[str]:
    for category in categories:
        yield category.replace("/", " ")
        yield FIRST_LEVEL.get(first_level(category), "")
