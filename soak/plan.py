"""Which faults come, when and to whom: drawn from `random.Random(seed)` and nothing else, so a seed is a run."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.distributed import ROLES, SANDBOX, STREAM
from cli.layout import SERVICES
from cli.platform import Name

GAP_S = (5.5, 11.0)
"""Between two faults; a process costs some seconds of CPU to start."""
AWAY_FROM_MINUTES = 5.0
"""Shorter runs do without the minutes in which the broker is away."""
AWAY_S = (60.0, 120.0)
KILLS_PER_MINUTE = 6.5
DRAWS = 100
"""So often a run of fewer kills is drawn anew."""
SETTLE_S = 15.0
"""After a fault that nothing else may overlap."""
LEASED = ("relay", "project", "process")
PROCESSES: tuple[Name, ...] = (*[(service, role) for service in SERVICES for role in ROLES], STREAM)


@dataclass(frozen=True, slots=True)
class Planned:
    """`at_s` after the load began; `pause_s` is how long it lasts, where the kind has a length; `after` ends a zombie."""

    at_s: float
    kind: str
    targets: tuple[Name, ...] = ()
    pause_s: float = 0.0
    first_ends: bool = False


Draw = Callable[[random.Random, float], Planned]


def _kill(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "kill", (chance.choice(PROCESSES),))


def _kill_several(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "kill", tuple(sorted(chance.sample(PROCESSES, chance.randint(2, 5)))))


def _kill_service(chance: random.Random, at_s: float) -> Planned:
    service = chance.choice(SERVICES)
    return Planned(at_s, "kill", tuple(name for name in PROCESSES if name[0] == service))


def _term(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "term", (chance.choice(PROCESSES),))


def _zombie(chance: random.Random, at_s: float) -> Planned:
    name = (chance.choice(SERVICES), chance.choice(LEASED))
    return Planned(at_s, "zombie", (name,), chance.uniform(8, 12), chance.random() < 0.5)


def _freeze(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "freeze", (chance.choice(PROCESSES),), chance.uniform(2, 9))


def _freeze_sandbox(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "freeze", (SANDBOX,), chance.uniform(2, 9))


def _broker_kill(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "broker kill", pause_s=chance.uniform(0, 3))


def _broker_freeze(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "broker freeze", pause_s=chance.uniform(3, 12))


def _postgres_stop(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "postgres stop", pause_s=chance.uniform(0, 3))


def _sessions(chance: random.Random, at_s: float) -> Planned:
    return Planned(at_s, "sessions end", ((chance.choice(SERVICES), "database"),))


KINDS: tuple[tuple[Draw, int], ...] = (
    (_kill, 28),
    (_kill_several, 30),
    (_kill_service, 6),
    (_term, 9),
    (_zombie, 9),
    (_freeze, 5),
    (_freeze_sandbox, 2),
    (_broker_kill, 5),
    (_broker_freeze, 4),
    (_postgres_stop, 5),
    (_sessions, 6),
)


def plan(seed: int, seconds: float) -> list[Planned]:
    """The faults of a run in order; once per longer run the broker is away for one to two minutes, and kills are many."""
    chance, wanted = random.Random(seed), KILLS_PER_MINUTE * seconds / 60
    for _ in range(DRAWS):
        found = _drawn(chance, seconds)
        if seconds < 60 * AWAY_FROM_MINUTES or kills(found) >= wanted:
            break
    return found


def kills(planned: Sequence[Planned]) -> int:
    """How many processes are ended by kill -9."""
    return sum(len(one.targets) if one.kind == "kill" else one.first_ends for one in planned)


def _drawn(chance: random.Random, seconds: float) -> list[Planned]:
    away_at_s = chance.uniform(0.25, 0.6) * seconds if seconds >= 60 * AWAY_FROM_MINUTES else None
    found: list[Planned] = []
    at_s = chance.uniform(1, 4)
    while at_s < seconds:
        if away_at_s is not None and at_s >= away_at_s:
            found.append(Planned(at_s, "broker away", pause_s=chance.uniform(*AWAY_S)))
            at_s, away_at_s = at_s + found[-1].pause_s + SETTLE_S, None
            continue
        (draw,) = chance.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])
        found.append(draw(chance, at_s))
        at_s += chance.uniform(*GAP_S)
    return found
