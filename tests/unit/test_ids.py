"""Ids are UUIDv7 and never the same twice, whichever thread or forked child makes them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

from kernel.core.ids import new_id


def test_an_id_is_a_uuid_v7_of_this_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id())
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_threads_make_no_id_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [one for many in pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)) for one in many]
    assert len({one[14:] for one in made}) == 16_000  # also without the time


def in_a_child(count: int) -> list[str]:
    """What is not the time in ids that a forked child makes."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writes, "".join(new_id()[14:] for _ in range(count)).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)  # no other child: the servers of a test run are some too
    return [told[at : at + 22] for at in range(0, len(told), 22)]


def test_a_forked_child_makes_none_of_its_parents_ids() -> None:
    new_id()  # the generator is seeded now
    theirs = in_a_child(300)
    ours = [new_id()[14:] for _ in range(300)]
    assert len({*theirs, *ours}) == 600
