"""Rounds, medians and the table: every figure is a ratio against a bare loop measured in the same run, turn by turn."""

import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Round = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `ours` and `theirs` with their unit, the ratio that counts, its floor and goal.

    `lower` says that a smaller ratio (or value) is better.
    """

    path: str
    ours: str
    theirs: str
    value: float
    floor: float
    goal: float
    unit: str = "x"
    lower: bool = False
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.floor if self.lower else self.value >= self.floor

    @property
    def reached(self) -> bool:
        return self.value <= self.goal if self.lower else self.value >= self.goal


async def interleaved(ours: Round, theirs: Round, rounds: int = 5) -> tuple[list[float], list[float]]:
    """Runs both in turn, `rounds` times each, after one warm-up of each; returns what they returned."""
    await theirs()
    await ours()
    mine, others = [], []
    for number in range(rounds):
        say(f"  round {number + 1} of {rounds}")
        others.append(await theirs())
        mine.append(await ours())
    return mine, others


def ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    """The median of the ratios pair by pair: a machine whose speed drifts changes both of a pair."""
    return statistics.median(a / b for a, b in zip(mine, others, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Cpu:
    """CPU seconds of this process between two moments, beside wall seconds."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that processes, and those of their children that have ended, have used so far; Linux."""
    return sum(ticks for pid in pids for ticks in _ticks(pid)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended meanwhile; its parent has its time now
        return []
    return [int(word) for word in words[11:15]]


def machine() -> str:
    """Cores and Python, for the table's head."""
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"


def markdown(rows: Sequence[Row]) -> str:
    lines = ["| path | here | against | ratio | floor | goal | |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        verdict = "goal" if row.reached else "floor holds" if row.holds else "BELOW FLOOR"
        figures = " | ".join(f"{_figure(value)}{row.unit}" for value in (row.value, row.floor, row.goal))
        lines.append(
            f"| {row.path} | {row.ours} | {row.theirs} | {figures} | {verdict}{f' ({row.note})' if row.note else ''} |"
        )
    return "\n".join(lines)


def _figure(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{round(value, 3) + 0.0:.3g}"
