"""Replies that are kept: for a moment, for one question, and never past what this process has projected."""

import asyncio

import pytest

from kernel.runtime.wakeup import Wakeup
from services.discovery.search import replies
from services.discovery.search.replies import FRESH_S, Replies


class Asked:
    """Answers with the number of times it was asked."""

    def __init__(self) -> None:
        self.times, self.go = 0, asyncio.Event()
        self.go.set()

    async def __call__(self) -> bytes:
        self.times += 1
        mine = self.times
        await self.go.wait()
        return str(mine).encode()


@pytest.fixture
def hand() -> list[float]:
    return [100.0]


@pytest.fixture
def progress() -> Wakeup:
    return Wakeup()


@pytest.fixture
def kept(progress: Wakeup, hand: list[float]) -> Replies:
    return Replies(progress, lambda: hand[0])


async def test_the_same_question_is_asked_once_within_a_moment(kept: Replies, hand: list[float]) -> None:
    ask = Asked()
    assert [await kept.answer("q", ask) for _ in range(3)] != [b"1", b"2", b"3"]
    asked = ask.times
    hand[0] += FRESH_S
    assert await kept.answer("q", ask) == str(asked + 1).encode()


async def test_another_question_has_its_own_answer(kept: Replies) -> None:
    ask = Asked()
    assert await kept.answer(("ann", "q"), ask) != await kept.answer(("bob", "q"), ask)


async def test_nothing_is_kept_past_a_commit_of_this_process(kept: Replies, progress: Wakeup) -> None:
    ask = Asked()
    await kept.answer("q", ask)
    before = await kept.answer("q", ask)
    progress.notify()
    assert await kept.answer("q", ask) != before


async def test_who_asks_after_a_commit_does_not_wait_for_an_answer_of_before(kept: Replies, progress: Wakeup) -> None:
    await kept.answer("warm", Asked())
    ask = Asked()
    ask.go.clear()
    early = asyncio.create_task(kept.answer("q", ask))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    progress.notify()
    late = asyncio.create_task(kept.answer("q", ask))
    await asyncio.sleep(0)
    ask.go.set()
    assert (await early, await late) == (b"1", b"2")
    assert await kept.answer("q", ask) == b"2"


async def test_callers_at_the_same_time_share_one_answer_and_one_that_leaves_spoils_nothing(kept: Replies) -> None:
    await kept.answer("warm", Asked())
    ask = Asked()
    ask.go.clear()
    first, second = (asyncio.create_task(kept.answer("q", ask)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    ask.go.set()
    assert await second == b"1"
    assert ask.times == 1


async def test_replies_are_bounded(kept: Replies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "LIMIT_BYTES", 3)
    ask = Asked()
    await kept.answer("warm", ask)
    for number in range(5):
        await kept.answer(number, ask)
    again = ask.times
    await kept.answer(4, ask)
    assert ask.times == again
    await kept.answer(0, ask)
    assert ask.times == again + 1
