"""The world outside never answers: what waits for it holds up neither others nor a drain."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit import toy
from tests.kit.toys import GRACE_S, Load, Toys, holds, make_toys


@pytest.fixture
async def toys(tmp_path: Path) -> AsyncIterator[Toys]:
    made = await make_toys(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'toys.db'}", f"local:///{tmp_path / 'bus.db'}")
    yield made
    await made.close()


async def drained_while_hung(toys: Toys, limit_s: float = GRACE_S, **variables: str) -> None:
    """SIGTERM under load, while a call outside is under way that will not come back: exit 0 within `limit_s`."""
    hung = Path(toys.env["TOY_OUTSIDE"]).with_name("hung")
    waiting = toys.start(**{toy.HANGS: str(hung)}, **variables)
    async with Load(toys.clients):
        await holds(hung.exists)
        await toys.acknowledge(40)
        await toys.drain(waiting, limit_s=limit_s)
        waiting = toys.start()
        await toys.acknowledge(40)
    await toys.drain(waiting)


async def test_a_call_outside_that_never_ends_holds_up_no_drain_and_is_made_again(toys: Toys) -> None:
    await drained_while_hung(toys)
    await toys.settle()
