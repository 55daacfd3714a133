"""The demo's story told in tests: on the embedded platform once a run, what it left kept for all who ask."""

import asyncio
import fcntl
import os
import pickle
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from cli.commands.demo import address_of
from cli.layout import Layout, Ports, Stores
from cli.platform import Embedded, LocalPlatform
from cli.story import finale, heard, market
from cli.story.plan import SMALL
from cli.story.tell import Teller
from tests.kit.run import RUN
from tools.servers.places import free_port
from tools.speed import patience

NUMBERS = "numbers.pickle"


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


async def embedded_numbers() -> dict[str, Any]:
    """The story's numbers on SQLite and the local bus, in one process."""
    numbers: dict[str, Any] = pickle.loads((await _told_once() / NUMBERS).read_bytes())
    return numbers


async def embedded_stores(folder: Path) -> Layout:
    """A copy, in the folder, of what the platform of `embedded_numbers` left; it does not run any more."""
    shutil.copytree(await _told_once(), folder, dirs_exist_ok=True)
    layout = Layout.at(folder, Ports.free(free_port), Stores.embedded(folder))
    layout.save(os.getpid(), "embedded")  # the copied platform.json names the ports and stores of the original
    return layout


async def _told_once() -> Path:
    """The folder of the platform on which the first to ask told the story; other workers wait for the file lock."""
    folder = Path(os.environ[RUN]) / "story"
    with folder.with_suffix(".lock").open("wb") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not (folder / NUMBERS).exists():
            shutil.rmtree(folder, ignore_errors=True)
            with Embedded.start(folder) as platform:
                await platform.wait()
                numbers = await tell(platform)
            (folder / NUMBERS).write_bytes(pickle.dumps(numbers))
    return folder
