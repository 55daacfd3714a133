"""One soak from the first process to the last check."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.commands.demo import address_of
from cli.distributed import Distributed, Servers, distributed
from cli.open_services import open_services
from cli.platform import NotReady
from cli.story.heard import Heard
from cli.story.market import Unexpected
from kernel.core.check import CheckResult
from kernel.verify.invariants import broken
from soak import ending
from soak.cluster import Broken, Cluster
from soak.faults import Faults
from soak.load import PATIENCE_S, Caller, Load, since
from soak.plan import Planned
from tools.speed import patience

FINISH_S = 420.0
"""All that was started must have ended so long after the last fault: the ledger asks after a lost webhook two minutes later."""
AT_A_TIME = 2
SHOWN = 20
RELAY_LAG = {"relay_lag_limit_s": "25", "relay_lag_limit_events": "2000"}
"""Low, so that commands are refused while the broker is away."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Soaked:
    """How it ended: every check, and the closing lines. `broken` is empty when it is green."""

    broken: tuple[str, ...]
    checked: tuple[CheckResult, ...] = ()


async def soak(servers: Servers, seed: int, planned: Sequence[Planned], say: Say, folder: Path | None = None) -> Soaked:
    """Starts a platform on the servers, hurts it as planned under load, lets it finish, and checks everything."""
    with await distributed(servers, folder, more=RELAY_LAG) as platform:
        try:
            await platform.wait()
            return await _soak(platform, servers, seed, planned, say)
        except (Broken, NotReady, Unexpected) as problem:
            return _red([str(problem)], say)
        except BaseExceptionGroup as several:
            found = several.subgroup((Broken, NotReady, Unexpected))
            if found is None:
                raise
            return _red([str(one) for one in found.exceptions], say)


def _red(problems: Sequence[str], say: Say) -> Soaked:
    for problem in problems:
        say(f"BROKEN  {problem}")
    return Soaked(tuple(problems))


async def _soak(platform: Distributed, servers: Servers, seed: int, planned: Sequence[Planned], say: Say) -> Soaked:
    address = address_of(platform.layout)
    cluster = Cluster(platform)
    async with Caller(address) as caller, Heard(address.bus, PATIENCE_S) as heard:
        load, faults = Load(caller, heard, seed, AT_A_TIME), Faults(servers, cluster, caller, say)
        try:
            await load.begin()
            started = time.monotonic()
            say(f"{since(started)}  load begins: {AT_A_TIME} campaigns at a time; {len(planned)} faults planned")
            await _hurt(faults.run(planned, started), load, cluster)
            say(f"{since(started)}  faults are over, everything is back; what was started must end")
            await _hurt(load.finish(patience(FINISH_S)), load, cluster)
            async with open_services(platform.layout) as apps:
                await ending.quiet(apps)
                await heard.all_of_now()
                heard.ended()
                say(f"{since(started)}  quiet; checking")
                checked = await ending.check_all(apps, load)
        except BaseException:
            say(load.now())
            raise
        finally:
            await load.close()
        _close(faults, load, cluster, say)
        return verdict(checked, say)


async def _hurt(work: Coroutine[Any, Any, None], load: Load, cluster: Cluster) -> None:
    """The work, unless the load fails or a process ends by itself first."""
    working = asyncio.create_task(work)
    beside = [asyncio.create_task(cluster.watch()), asyncio.create_task(load.failed())]
    try:
        await asyncio.wait([working, *beside], return_when=asyncio.FIRST_COMPLETED)
        for task in (*beside, working):
            if task.done():
                task.result()
    finally:
        for task in (working, *beside):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(working, *beside, return_exceptions=True)


def _close(faults: Faults, load: Load, cluster: Cluster, say: Say) -> None:
    others = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.others.items()))
    outcomes, steps = load.caller.outcomes, load.collaborations
    say("")
    say(f"kills of processes   {faults.kills}")
    say(f"other faults         {sum(faults.others.values())}: {others}")
    if cluster.restarts:
        again = ", ".join(f"{' '.join(name)} {count}" for name, count in sorted(cluster.restarts.items()))
        say(
            f"started again        {sum(cluster.restarts.values())} that ended while Kafka or PostgreSQL was away: {again}"
        )
    say(
        f"campaigns            {len(load.ended)} ended; "
        f"{steps['contracted']} collaborations contracted, {steps['published']} contents published, {steps['settled']} settled"
    )
    say(
        f"requests             {sum(outcomes.values()):,}: {outcomes['ok']:,} ok, {outcomes['refused']:,} refused, "
        f"{outcomes['unknown']:,} unknown; {load.caller.turned_away:,} turned away while a relay was behind"
    )
    events = {name: len(load.heard.ids(name)) for name in load.caller.address.rpc}
    say(f"events               {sum(events.values()):,}: {', '.join(f'{name} {n:,}' for name, n in events.items())}")


def verdict(checked: Sequence[CheckResult], say: Say) -> Soaked:
    """Says what is broken, or that nothing is."""
    problems = broken(checked)
    for problem in problems[:SHOWN]:
        say(f"BROKEN  {problem}")
    if not problems:
        say(f"verified             {len(checked)} invariants over {sum(one.checked for one in checked):,} things")
    return Soaked(tuple(problems), tuple(checked))
