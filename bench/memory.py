"""Resident memory of every role of every service, each a process of its own, at the start and after the told story."""

from pathlib import Path

from bench.measure import Row, say
from bench.place import Place
from cli.distributed import ROLES, STREAM, Servers, distributed
from cli.platform import LocalPlatform
from tests.kit.story import tell
from tools.servers.run import family

LIMIT_MIB, GOAL_MIB = 256, 160


def resident_mib(platform: LocalPlatform) -> dict[str, dict[str, float]]:
    """MiB by role and service."""
    found: dict[str, dict[str, float]] = {role: {} for role in (*ROLES, STREAM[1])}
    for (service, role), process in platform.processes.items():
        if role in found:
            found[role][service] = sum(map(_resident_mib, family(process.pid())))
    return found


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def bench(place: Place) -> list[Row]:
    """A row for each role: the largest of the services after the story, the largest at the start beside it."""
    say("memory of 26 processes")

    async def go_on(_part: str) -> None:
        return

    with await distributed(Servers(place.kafka, place.postgres), place.folder / "memory") as platform:
        await platform.wait()
        before = resident_mib(platform)
        await tell(platform, go_on)
        after = resident_mib(platform)
    return [_row(role, before[role], after[role]) for role in after]


def _row(role: str, before: dict[str, float], after: dict[str, float]) -> Row:
    most = max(after, key=lambda service: after[service])
    start = max(before.values())
    return Row(
        f"resident memory, {role}", f"{after[most]:.0f} MiB ({most})", f"at the start {start:.0f} MiB", after[most],
        LIMIT_MIB, GOAL_MIB, " MiB", lower=True, note="largest of the services, after the story",
    )  # fmt: skip
