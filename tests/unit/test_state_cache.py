"""The writer's caches: bounded, and what was kept last is there."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.eventlog.state_cache import TwoGenerationCache

LIMIT = 20


@given(st.lists(st.dictionaries(st.integers(0, 60), st.integers(), max_size=5)))
def test_what_was_kept_last_is_there_and_never_more_than_the_limit(batches: list[dict[int, int]]) -> None:
    cache, order, newest = TwoGenerationCache(LIMIT), list[int](), dict[int, int]()
    for batch in batches:
        cache.cache(batch)
        newest |= batch
        order = [key for key in order if key not in batch] + list(batch)
        there = {key for key in newest if cache.get(key) is not None}
        assert len(there) <= LIMIT + 5
        assert set(order[-LIMIT // 2 :]) <= there
        assert all(cache.get(key) == newest[key] for key in there)


def test_nothing_is_there_after_clear_and_none_is_a_value() -> None:
    cache, absent = TwoGenerationCache(LIMIT), object()
    cache.cache({"row": None})
    assert cache.get("row", absent) is None
    cache.clear()
    assert cache.get("row", absent) is absent
