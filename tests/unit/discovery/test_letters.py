"""A code goes to the address that it was made for, whatever the creator names while the letter is under way."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.host.app import App
from services.discovery.domain.contact.events import MailCodeAsked
from services.discovery.effects.letters import sending_codes
from services.discovery.ports.mail import Letter
from tests.unit.discovery.given import ID

NAMED = ({"address": "own@example.com", "address_code": "111111"}, {"address": "hers@example.com", "address_code": "2"})


@dataclass
class Renamed:
    """Texts of a creator that names another address after each query; stands in for App, its database and its vault."""

    queries: int = 0
    letters: list[Letter] = field(default_factory=list)

    @property
    def database(self) -> "Renamed":
        return self

    @property
    def personal(self) -> "Renamed":
        return self

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        yield

    async def open_many(self, connection: None, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        stands, self.queries = NAMED[min(self.queries, 1)], self.queries + 1
        return {(subject, name): stands[name] for subject, name in wanted}

    async def keys(self, connection: None, subjects: Iterable[str]) -> dict[str, Any]:
        return {}

    async def send(self, letter: Letter) -> str:
        self.letters.append(letter)
        return ""


async def test_a_code_goes_to_no_address_that_was_named_before_it() -> None:
    there, at = Renamed(), system_clock()
    asked = MailCodeAsked("a1", "c1", at, at + timedelta(minutes=30))
    stream = f"contact-{ID}"
    await sending_codes(cast(App, there), there).perform(
        Delivered("discovery", f"{stream}@1", stream, 1, 1, ID, at, asked)
    )
    (letter,) = there.letters
    assert (letter.to, letter.subject.partition(" ")[0]) == ("own@example.com", "111111")
