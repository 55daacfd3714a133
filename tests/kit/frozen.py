"""One process frozen by SIGSTOP in the middle of something, while others take its place and it wakes as a zombie."""

import signal
from typing import NamedTuple

from tests.kit import whole
from tests.kit.toys import LIMIT_S, Load, Toys, holds
from tests.kit.until import until
from tools.servers.places import free_port


class Freeze(NamedTuple):
    """The process of `roles` freezes when it comes to `point` for the `time`-th time."""

    roles: tuple[str, ...]
    point: str
    time: int = 2


FREEZES = {
    "projector before its transaction": Freeze(("project",), "read, not applied"),
    "projector in its transaction": Freeze(("project",), "applied, not committed"),
    "relay": Freeze(("relay",), "sent, no checkpoint"),
    "writer before its transaction": Freeze(
        ("rest",), "decided", 1
    ),  # later it shares the log and decides under the lock
    "writer in its transaction": Freeze(("rest",), "inserted, not committed"),
    "process in its transaction": Freeze(("process",), "cause decided, not committed"),
}


async def freeze(toys: Toys, name: str, limit_s: float = LIMIT_S, **variables: str) -> None:
    """Others go on while it is frozen, and it does no harm when it wakes; `toys.settle` counts the rows afterwards."""
    roles, point, time = FREEZES[name]
    port = free_port()
    steady = toys.start("rest")
    zombie = toys.start(*roles, TOY_POINT=f"stop {point} {time}", DANDELION_HTTP_PORT=str(port), **variables)
    toys.clients.send_to(*([toys.port, port] if "rest" in roles else [toys.port]))
    async with Load(toys.clients):
        await holds(zombie.is_frozen, LIMIT_S)
        head = (await toys.app.log.head()).position
        others = toys.start("relay", "project", "process")
        await toys.age_leases()
        await toys.acknowledge(40, limit_s)
        await until(lambda: whole.has_passed(toys.app, head), limit_s)
        zombie.send_signal(signal.SIGCONT)
        await toys.acknowledge(40, limit_s)
        assert zombie.poll() is None
    await toys.drain(zombie, others, steady)
    toys.clients.send_to(toys.port)
