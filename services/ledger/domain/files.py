"""Settlement files of the provider: somebody names a batch, the service fetches it itself, so that nobody can invent one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid
from kernel.core.ids import derived_id, stream_id

FILE = "file"
BATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""Names of the provider's batches: nothing that means something in an address."""


@dataclass(frozen=True, slots=True)
class AskForFile:
    """By finance."""

    batch: str


@dataclass(frozen=True, slots=True)
class NoteFile:
    """What became of the file: counts of lines, or the code of the refusal."""

    batch: str
    settled: int = 0
    unmatched: int = 0
    listed: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class FileAsked:
    """An intent: fetch the file and book it."""

    batch: str


@dataclass(frozen=True, slots=True)
class FileBooked:
    """Lines that stand in the journal, those of them that are in suspense, and lines that stand in the work list."""

    batch: str
    settled: int
    unmatched: int
    listed: int


@dataclass(frozen=True, slots=True)
class FileRefused:
    """The provider has no such file, or what it gave is none."""

    batch: str
    code: str


Command = AskForFile | NoteFile
Event = FileAsked | FileBooked | FileRefused


def file_stream(batch: str) -> str:
    return stream_id(FILE, derived_id(FILE, batch))


def _decide(command: Command, state: str, context: Context) -> Sequence[Event]:
    match command:
        case AskForFile(batch):
            context.actor.require("finance")
            if not BATCH.fullmatch(batch):
                raise Invalid("settlement.batch_malformed", do="name a batch of the provider")
            return [] if state == "asked" else [FileAsked(batch)]
        case NoteFile(batch, settled, unmatched, listed, code):
            context.actor.require("system")
            if state != "asked":
                return []
            return [FileRefused(batch, code)] if code else [FileBooked(batch, settled, unmatched, listed)]
        case _:
            assert_never(command)


def _evolve(state: str, event: Event) -> str:
    return "asked" if isinstance(event, FileAsked) else "done"


FILES: Decider[Command, str, Event] = Decider(FILE, "", _decide, _evolve, published=False)
