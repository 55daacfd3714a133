"""What a browser keeps, sealed: its session, and the sign-ins that it has begun."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from console.identity.oidc import Asked
from console.identity.person import Person
from console.identity.tokens import Tokens

BEGUN_LIMIT = 4
"""Sign-ins that one browser can have begun at a time, in as many tabs."""
BEGUN_S = 900


@dataclass(frozen=True, slots=True)
class Session:
    """A person's tokens, since when (Unix, s), and an id of the session's own."""

    id: str
    begun: float
    tokens: Tokens

    def person(self) -> Person:
        told = self.tokens
        return Person(told.subject, told.name, told.tenant, frozenset(told.roles), told.access)

    def with_tokens(self, tokens: Tokens) -> "Session":
        return replace(self, tokens=tokens)

    def written(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def read(cls, plain: bytes) -> "Session":
        """Raises ValueError for what another version of the console has written."""
        try:
            told = json.loads(plain)
            given = {**told["tokens"], "roles": tuple(told["tokens"]["roles"])}
            return cls(told["id"], told["begun"], Tokens(**given))
        except (KeyError, TypeError) as error:
            raise ValueError("another form") from error


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: what its answer has to bring, and where it leads."""

    asked: Asked
    next: str
    at: float


def written(begun: list[Begun]) -> bytes:
    return json.dumps([asdict(one) for one in begun[-BEGUN_LIMIT:]], separators=(",", ":"), ensure_ascii=False).encode()


def read_begun(plain: bytes, now: float) -> list[Begun]:
    """Those that are not too old; [] for what another version of the console has written."""
    try:
        told: list[dict[str, Any]] = json.loads(plain)
        found = [Begun(Asked(**one["asked"]), one["next"], one["at"]) for one in told]
    except (ValueError, KeyError, TypeError):
        return []
    return [one for one in found if 0 <= now - one.at <= BEGUN_S]
