"""The demo's story told in tests: on the embedded platform once a run, its numbers kept to compare with."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from cli.commands.demo import address_of
from cli.layout import Layout
from cli.platform import Embedded, LocalPlatform
from cli.story import finale, heard, market
from cli.story.plan import SMALL
from cli.story.tell import Teller
from tools.speed import patience

_told: list[tuple[dict[str, Any], Layout]] = []


async def tell(platform: LocalPlatform, on_part: Callable[[str], Awaitable[None]] | None = None) -> dict[str, Any]:
    """The small story's final numbers; what the processes complained of is in the error when it goes wrong."""
    more = {"on_part": on_part} if on_part else {}
    with patiently():
        return await _tell(platform, more)


@contextmanager
def patiently() -> Iterator[None]:
    """The storyteller waits as much longer as this machine is slower."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heard, "WAIT_S", patience(heard.WAIT_S))
        patch.setattr(market, "CALL_S", patience(market.CALL_S))
        patch.setattr(finale, "WATCH_S", patience(finale.WATCH_S))
        yield


async def _tell(platform: LocalPlatform, more: dict[str, Any]) -> dict[str, Any]:
    teller = Teller(address_of(platform.layout), SMALL, Progress(console=Console(quiet=True)), **more)
    try:
        told = await teller.tell()
    except Exception as error:
        for line in platform.complaints():
            error.add_note(line)
        raise
    assert told.finale is not None
    return told.finale.numbers()


async def embedded_numbers(folder: Path) -> dict[str, Any]:
    """The story's numbers on SQLite and the local bus, in one process; told once however often they are asked for."""
    return (await _embedded(folder))[0]


async def embedded_stores(folder: Path) -> Layout:
    """Where the platform of `embedded_numbers` left its databases and topics; it does not run any more."""
    return (await _embedded(folder))[1]


async def _embedded(folder: Path) -> tuple[dict[str, Any], Layout]:
    if not _told:
        with Embedded.start(folder) as platform:
            await platform.wait()
            _told.append((await tell(platform), platform.layout))
    return _told[0]
