"""A pytest plugin: CPU seconds by test file, of this process, its servers and all it starts; the dearest are printed.

The sum of all is tools/cpu_time.py's: a process whose parent ended before it is adopted there and lost to this count.
"""

import os
import resource
from collections import Counter
from typing import Any

import pytest

from tools.cpu_time import ended_s, living_s
from tools.servers.run import family

DEAREST = 20
COLLECTING = "collecting and starting"


def own_s() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def spent_s() -> float:
    """Of this process and everything below it, until now."""
    return own_s() + ended_s() + living_s(family(os.getpid())[1:])


class CpuByFile:
    """A file's time runs from its first test to the next file's; `loadfile` keeps a file's tests together."""

    def __init__(self, config: pytest.Config) -> None:
        self._hands_out = not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"
        self._by_file: Counter[str] = Counter()
        self._file, self._at = COLLECTING, 0.0

    def _turn_to(self, file: str) -> None:
        now = spent_s()
        self._by_file[self._file] += now - self._at  # type: ignore[assignment]
        self._file, self._at = file, now

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        file = nodeid.partition("::")[0]
        if file != self._file and not self._hands_out:
            self._turn_to(file)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._hands_out:
            self._by_file[COLLECTING] += own_s()  # type: ignore[assignment]
            return
        self._turn_to("")
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            told["cpu"] = dict(self._by_file)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._by_file.update(getattr(node, "workeroutput", {}).get("cpu", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("CPU seconds by file")
        for file, seconds in self._by_file.most_common(DEAREST):
            terminalreporter.write_line(f"{seconds:8.1f} {file}")
        terminalreporter.write_line(f"{sum(self._by_file.values()):8.1f} all {len(self._by_file)}")
