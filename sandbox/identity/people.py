"""Who signs in: the people of the demo's story, and whoever was made up on the sign-in page for an id of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kernel.core.ids import is_id
from sandbox.bounded import Bounded
from sandbox.store import Store

STAFF = "platform"
NAME_LIMIT = 80
MADE_UP_LIMIT = 1_000
LATEST = 8
"""So many of those made up are offered again."""
PARTIES = ("brand", "agency", "creator")
"""Roles in which somebody can be made up, for an organisation's or a creator's id."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `tenant` is the organisation's id, a creator's own id, or `platform` for its staff."""

    subject: str
    name: str
    organisation: str
    tenant: str
    roles: tuple[str, ...]


class Unknown(Exception):
    """Nobody of that name, or nobody who could be made up so: the text is a word that the page explains."""


STORY = (
    Person("bella", "Bella Lin", "Bella Cosmetics", "9f84d5c8-7099-54ac-bf81-633e839d338a", ("brand",)),
    Person("nora", "Nora Wu", "Northwind Agency", "84730ef2-948a-5e75-b15f-0cc6d670d885", ("agency",)),
    Person("camille", "黄欣妍", "Douyin: demo_0075_camille", "bf21b154-d3c4-5be1-b52b-86673884f03a", ("creator",)),
    Person("ethan", "李雨桐", "Douyin: demo_0309_ethan", "b5e532e9-1895-5ef8-bb06-aad5177801e1", ("creator",)),
    Person("rita", "Rita", "Dandelion", STAFF, ("reviewer",)),
    Person("fay", "Fay", "Dandelion", STAFF, ("finance",)),
    Person("fred", "Fred", "Dandelion", STAFF, ("finance",)),
    Person("olga", "Olga", "Dandelion", STAFF, ("operator",)),
    Person("anna", "Anna", "Dandelion", STAFF, ("auditor",)),
)
"""The creators are two of those that the story imports (cli/data/creators.csv)."""


def _read(saved: Mapping[str, Any]) -> Person:
    return Person(**{**saved, "roles": tuple(saved["roles"])})


class People:
    """The story's people, and at most 1,000 made up: the one made up longest ago is forgotten first."""

    def __init__(self, store: Store) -> None:
        self._made: Bounded[Person] = Bounded(MADE_UP_LIMIT, store.shelf("person", asdict, _read))
        self._story = {one.subject: one for one in STORY}

    def get(self, subject: str) -> Person:
        """Raises Unknown `person_unknown`."""
        found = self._story.get(subject) or self._made.get(subject)
        if found is None:
            raise Unknown("person_unknown")
        return found

    def latest(self) -> Sequence[Person]:
        """Those made up, the newest first."""
        return self._made.values()[: -LATEST - 1 : -1]

    def make_up(self, role: str, party: str, name: str) -> Person:
        """Somebody of an organisation, or a creator, by the id of either; named as `dandelion token` names them where `name`
        is "". Raises Unknown `role_unknown`, `party_malformed` or `name_malformed`."""
        if role not in PARTIES:
            raise Unknown("role_unknown")
        if not is_id(party):
            raise Unknown("party_malformed")
        if len(name) > NAME_LIMIT or not name.isprintable():
            raise Unknown("name_malformed")
        subject = name or f"{role} of {party}"
        if subject in self._story:
            raise Unknown("name_taken")
        made = Person(subject, subject, party, party, (role,))
        self._made.put(subject, made)
        return made
