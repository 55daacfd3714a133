"""SIGSTOP past the leases' time: others take over, and the process that wakes as a zombie writes nothing."""

from tests.kit.frozen import FREEZES, freeze
from tests.kit.toys import Toys


async def test_a_process_frozen_anywhere_does_no_harm_when_it_wakes(toys: Toys) -> None:
    for name in FREEZES:
        await freeze(toys, name)
    await toys.settle()
