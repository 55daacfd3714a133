"""A page token fits its query and its caller, and nothing else."""

import base64
from pathlib import Path

import pytest
from dandelion.discovery.v1.queries_pb2 import GetCreatorRequest, SearchCreatorsRequest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Internal, Invalid
from kernel.edge.page_tokens import PageTokens, page_keys, page_size

OLD, NEW = {"1": b"k" * 32}, {"2": b"n" * 32}
TOKENS = PageTokens(OLD)
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
    assert TOKENS.open(QUERY, "", "acme") is None


def test_size_token_and_freshness_may_change_between_pages() -> None:
    token = TOKENS.seal(QUERY, [1000, "x"], "acme")
    assert TOKENS.open(changed(page_size=50, page_token=token, at_least="discovery:7"), token, "acme") == (1000, "x")


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
    key_id, _, text = TOKENS.seal(QUERY, [1234567], "acme").partition(".")
    sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert len(sealed) == 12 + 64 + 16
    for place in range(len(sealed)):
        forged = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(Invalid):
            TOKENS.open(QUERY, f"{key_id}.{base64.urlsafe_b64encode(forged).rstrip(b'=').decode()}", "acme")


def test_a_token_shows_nothing_of_its_cursor_not_even_how_long_it_is() -> None:
    short, long = (TOKENS.seal(QUERY, [number, "0190"], "acme") for number in (7, 123_456_789_012_345))
    assert len(short) == len(long)
    assert b"123456789012345" not in base64.urlsafe_b64decode(long.partition(".")[2] + "==")
    assert short != TOKENS.seal(QUERY, [7, "0190"], "acme"), "the same place twice is not seen to be the same"


def test_a_token_over_the_limit_is_refused() -> None:
    token = TOKENS.seal(QUERY, [number * 7919 for number in range(2_000)], "acme")
    with pytest.raises(Invalid):
        TOKENS.open(QUERY, token, "acme")


@given(st.text())
def test_noise_is_refused_as_such(token: str) -> None:
    for one in (token, f"1.{token}"):
        if one:
            with pytest.raises(Invalid):
                TOKENS.open(QUERY, one, "acme")


def test_a_token_of_another_key_is_refused() -> None:
    for keys in ({"1": b"x" * 32}, NEW):
        with pytest.raises(Invalid):
            TOKENS.open(QUERY, PageTokens(keys).seal(QUERY, [1], "acme"), "acme")


def test_keys_are_rotated_without_losing_a_page() -> None:
    """The new first key seals; a token of the one below it opens as long as that stands there."""
    token = TOKENS.seal(QUERY, [1], "acme")
    rotated = PageTokens(NEW | OLD)
    assert rotated.open(QUERY, token, "acme") == (1,)
    assert rotated.seal(QUERY, [1], "acme").startswith("2.")
    with pytest.raises(Invalid):
        PageTokens(NEW).open(QUERY, token, "acme")


def test_keys_come_from_the_file_else_from_the_fingerprint_key(tmp_path: Path) -> None:
    file = tmp_path / "page.keys"
    file.write_text("".join(f"{name} {base64.b64encode(key).decode()}\n" for name, key in (NEW | OLD).items()))
    assert list(page_keys(file, b"f" * 32).items()) == list((NEW | OLD).items())
    derived = page_keys(None, b"f" * 32)
    assert derived == page_keys(None, b"f" * 32) != page_keys(None, b"g" * 32)
    assert b"f" * 32 not in derived.values()


@pytest.mark.parametrize("text", ["", "1", "1 !", "1 aaaa", "1 {k}\n1 {k}", "1 {k} x"])
def test_a_malformed_file_of_keys_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "page.keys"
    file.write_text(text.format(k=base64.b64encode(b"k" * 32).decode()))
    with pytest.raises(Internal, match=r"page_keys\.malformed"):
        page_keys(file, b"f" * 32)


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (200, 200), (10**6, 200)])
def test_page_sizes_have_a_default_and_a_bound(asked: int, given: int) -> None:
    assert page_size(asked) == given


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(Invalid, match=r"page_size\.negative"):
        page_size(-1)
