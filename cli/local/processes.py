"""`ps` lists a platform's processes; `restart` ends one in good order, and its supervisor starts it again."""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.layout import Layout, running
from cli.local.supervisor import FILE
from cli.tables import table_of, wide
from tools.speed import patience

AGAIN_S = 60.0
LOOK_EVERY_S = 0.1
WIDTH = 200


def known(folder: Path) -> list[dict[str, Any]]:
    """What the supervisor wrote last, a row for each process; [] where there is none."""
    try:
        rows: list[dict[str, Any]] = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return []
    return rows


def alive(row: dict[str, Any]) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(row["pid"], 0)
        return bool(row["pid"])
    return False


def ps(given: argparse.Namespace) -> int:
    """Every process with its pid, since when it runs, how often it was started again, its probe and its log."""
    layout = Layout.load(given.data)
    pid = running(layout.folder)
    if pid is None:
        sys.stderr.write(f"nothing runs in {given.data}\n")
        return 1
    table = table_of(
        f"Processes of the platform in {layout.folder}", "process", "since", "log", "pid", "restarts", "probe", left=3
    )
    table.add_row("dandelion up", "", "", str(pid), "", "")
    for row in known(layout.folder):
        state = str(row["pid"]) if alive(row) else "ended" if row["pid"] else "container"
        table.add_row(row["name"], row["since"][:19], row["log"], state, str(row["restarts"]), str(row["probe"] or ""))
    wide(WIDTH).print(table)
    return 0


def restart(given: argparse.Namespace) -> int:
    """SIGTERM to one process, then waits until its supervisor has started it again; 1 when that takes too long."""
    folder, name = Layout.load(given.data).folder, f"{given.service} {given.role}"
    if running(folder) is None:
        sys.stderr.write(f"nothing runs in {given.data}\n")
        return 1
    before = _row(folder, name)
    if before is None:
        names = ", ".join(row["name"] for row in known(folder)) or "all services are one process: `down`, then `up`"
        sys.stderr.write(f"{name} is no process of its own here: {names}\n")
        return 2
    os.kill(before["pid"], signal.SIGTERM)
    until = time.monotonic() + patience(AGAIN_S)
    while (now := _row(folder, name)) is None or now["pid"] == before["pid"]:
        if time.monotonic() > until:
            sys.stderr.write(f"{name} (pid {before['pid']}) was not started again within {AGAIN_S:.0f} s\n")
            return 1
        time.sleep(LOOK_EVERY_S)
    sys.stdout.write(f"{name} runs again (pid {now['pid']})\n")
    return 0


def _row(folder: Path, name: str) -> dict[str, Any] | None:
    return next((row for row in known(folder) if row["name"] == name and row["pid"]), None)


def env(given: argparse.Namespace) -> int:
    """Prints the variables that `up` gives to a service's processes, quoted for a shell."""
    layout = Layout.load(given.data)
    for name, value in layout.environment(given.service).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0
