"""A page token fits its query and its caller, and nothing else."""

import base64

import pytest
from dandelion.discovery.v1.queries_pb2 import GetCreatorRequest, SearchCreatorsRequest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from kernel.edge.page_tokens import PageTokens, page_size

TOKENS = PageTokens(b"k" * 32)
QUERY = SearchCreatorsRequest(text="hot pot", followers_min=1000, page_size=20)


def changed(**changes: str | int) -> SearchCreatorsRequest:
    query = SearchCreatorsRequest()
    query.CopyFrom(QUERY)
    query.MergeFrom(SearchCreatorsRequest(**changes))  # type: ignore[arg-type]
    return query


@given(st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.none()), max_size=5))
def test_what_was_sealed_comes_back(cursor: list[str | int | None]) -> None:
    assert TOKENS.open(QUERY, TOKENS.seal(QUERY, cursor, "acme"), "acme") == tuple(cursor)


def test_the_first_page_has_no_token() -> None:
    assert TOKENS.open(QUERY, "") is None


def test_size_token_and_freshness_may_change_between_pages() -> None:
    token = TOKENS.seal(QUERY, [1000, "x"])
    assert TOKENS.open(changed(page_size=50, page_token=token, at_least="discovery:7"), token) == (1000, "x")


@pytest.mark.parametrize(
    ("query", "caller"),
    [
        (changed(text="noodles"), "acme"),
        (changed(order_by="followers"), "acme"),
        (GetCreatorRequest(), "acme"),
        (QUERY, "other"),
    ],
    ids=["filter", "order", "other method", "other caller"],
)
def test_a_token_of_another_query_is_refused(query: SearchCreatorsRequest, caller: str) -> None:
    with pytest.raises(Invalid) as refused:
        TOKENS.open(query, TOKENS.seal(QUERY, [1], "acme"), caller)
    assert (refused.value.code, refused.value.facts["field"]) == ("page_token.mismatch", "page_token")


def test_every_changed_byte_is_noticed() -> None:
    parts = [base64.urlsafe_b64decode(part + "==") for part in TOKENS.seal(QUERY, [1234567]).split(".")]
    assert [len(part) for part in parts] == [len("[1234567]"), 32]
    for number, part in enumerate(parts):
        for place in range(len(part)):
            changed_part = part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]
            forged = [changed_part if number == other else one for other, one in enumerate(parts)]
            with pytest.raises(Invalid):
                TOKENS.open(QUERY, b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in forged).decode())


def test_a_token_over_the_limit_is_refused() -> None:
    token = TOKENS.seal(QUERY, [number * 7919 for number in range(2_000)])
    with pytest.raises(Invalid):
        TOKENS.open(QUERY, token)


@given(st.text())
def test_noise_is_refused_as_such(token: str) -> None:
    if token:
        with pytest.raises(Invalid):
            TOKENS.open(QUERY, token)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(Invalid):
        TOKENS.open(QUERY, PageTokens(b"x" * 32).seal(QUERY, [1]))


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (200, 200), (10**6, 200)])
def test_page_sizes_have_a_default_and_a_bound(asked: int, given: int) -> None:
    assert page_size(asked) == given


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(Invalid, match=r"page_size\.negative"):
        page_size(-1)
