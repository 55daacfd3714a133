"""Buckets refill, are each principal's own, and do not grow without bound."""

from kernel.edge.limits import BodyLimit, Buckets, Rate


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def buckets(limit: int = 100) -> tuple[Buckets, Ticks]:
    ticks = Ticks()
    return Buckets(Rate(per_s=2, burst=3), limit, ticks), ticks


def taken(held: Buckets, principal: str, times: int) -> list[bool]:
    return [held.take(principal)[1] is None for _ in range(times)]


def test_a_burst_then_the_rate() -> None:
    held, ticks = buckets()
    assert taken(held, "ann", 5) == [True, True, True, False, False]
    ticks.now = 0.5
    assert taken(held, "ann", 2) == [True, False]
    ticks.now = 100
    assert taken(held, "ann", 4) == [True, True, True, False]


def test_refused_requests_cost_nothing_and_say_when_to_come_back() -> None:
    held, ticks = buckets()
    taken(held, "ann", 3)
    allowance, refused = held.take("ann")
    assert allowance.left == 0
    assert refused is not None
    wait_s = refused.facts["retry_after_s"]
    assert isinstance(wait_s, int)
    ticks.now = wait_s
    assert taken(held, "ann", 1) == [True]


def test_principals_do_not_share() -> None:
    held, _ = buckets()
    taken(held, "ann", 4)
    assert taken(held, "bob", 1) == [True]


def test_the_longest_idle_is_forgotten_first() -> None:
    held, _ = buckets(limit=2)
    for principal in ("ann", "bob", "ann", "eve"):
        held.take(principal)
    assert list(held.held) == ["ann", "eve"]


def test_what_is_left_is_told() -> None:
    held, _ = buckets()
    assert [held.take("ann")[0].left for _ in range(4)] == [2, 1, 0, 0]
    assert held.take("ann")[0].headers() == {"RateLimit-Policy": '"default";q=3;w=2', "RateLimit": '"default";r=0;t=2'}


def test_the_longest_prefix_decides_the_body_limit() -> None:
    async def app(*_: object) -> None: ...

    limit = BodyLimit(app, 10, {"/ingest": 20, "/ingest/csv": 30})
    assert [limit.limit_of(path) for path in ("/", "/ingest/rows", "/ingest/csv")] == [10, 20, 30]
