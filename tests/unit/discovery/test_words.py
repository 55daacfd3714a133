"""The text index: what a text is found by, and that it is found by exactly that, whatever came before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.domain.state import INITIAL, State, evolve
from services.discovery.search.names import TextIndex, words_of
from services.discovery.search.words import asked, normal, tokens
from tests.unit.discovery.given import REGISTERED

LONG_NAME = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
"""Forty-eight letters."""
LONG_HANDLE = "x" * 64
TEXTS = {
    "one": {"display_name": "林小满", "bio": "上海｜口红测评，只说真话"},
    "two": {"display_name": "Mei Lin", "bio": "Skincare from London, daily"},
    "three": {"display_name": "口述红楼", "bio": "文化艺术"},
    "four": {"display_name": "ＭＥＩ林", "bio": "mascara; MASKS"},
    "five": {"display_name": "Beyoncé", "bio": "护肤，裡面 Smørrebrød Straße Αθήνα ёлка がっこう", "tags": "護膚"},
    "six": {"display_name": LONG_NAME, "handle": LONG_HANDLE},
    "eight": {"display_name": "İstanbul", "bio": "ครีมกันแดด हिन्दी। عَرَبِيّ"},
    "seven": {"display_name": LONG_NAME[:40] + "yy"},
}


@pytest.fixture
def index() -> TextIndex:
    made = TextIndex()
    for name, fields in TEXTS.items():
        made.put(name, fields)
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("口红", {"one"}),
        ("口", {"one", "three"}),
        ("红楼", {"three"}),
        ("口述红楼", {"three"}),
        ("上海 口红", {"one"}),
        ("上海 红楼", set()),
        ("mei", {"two", "four"}),
        ("MEI", {"two", "four"}),
        ("mei林", {"four"}),
        ("林", {"one", "four"}),
        ("ski", {"two"}),
        ("mas", {"four"}),
        ("kincare", set()),
        ("london daily", {"two"}),
        ("daily, LONDON!", {"two"}),
        ("无", set()),
        ("護膚", {"five"}),
        ("护肤", {"five"}),
        ("護肤", {"five"}),
        ("beyonce", {"five"}),
        ("BEYONCÉ", {"five"}),
        ("beyonce\u0301", {"five"}),
        ("smorrebrod", {"five"}),
        ("strasse", {"five"}),
        ("裡面", {"five"}),
        ("里面", {"five"}),
        ("αθηνα", {"five"}),
        ("елка", {"five"}),
        ("がっこう", {"five"}),
        ("かっこう", set()),
        ("istanbul", {"eight"}),
        ("İSTANBUL", {"eight"}),
        ("กัน", {"eight"}),
        ("กนแ", set()),
        ("हिन्दी", {"eight"}),
        ("हन", set()),
        ("عربي", {"eight"}),
        (LONG_NAME, {"six"}),
        (LONG_NAME[:45], {"six"}),
        (LONG_NAME[:40], {"six", "seven"}),
        (LONG_NAME[:41] + "z", set()),
        (LONG_HANDLE, {"six"}),
    ],
)
def test_queries(index: TextIndex, query: str, found: set[str]) -> None:
    assert index.find(query) == found


def test_a_query_without_words_asks_for_nothing(index: TextIndex) -> None:
    assert index.find("!?｜ ") is None


def test_pairs_that_do_not_stand_together_are_no_match(index: TextIndex) -> None:
    index.put("five", {"bio": "口红 红楼"})
    assert index.find("口红楼") == set()


def test_the_fields_in_which_words_stand_are_told(index: TextIndex) -> None:
    assert index.matched("one", "口红") == ["bio"]
    assert index.matched("two", "mei skincare") == ["display_name", "bio"]
    assert index.matched("nobody", "mei") == []


def test_what_is_replaced_or_emptied_is_found_no_more(index: TextIndex) -> None:
    index.put("one", {"display_name": "新名"})
    assert (index.find("口红"), index.find("新名")) == (set(), {"one"})
    index.put("one", {"display_name": ""})
    assert index.find("新名") == set()
    assert "one" not in index.documents


FIELD = st.text(st.sampled_from("口红林小满ab c｜"), max_size=12)


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), FIELD), max_size=12),
    st.text(st.sampled_from("口红林ab"), min_size=1, max_size=3),
)
def test_an_index_kept_up_is_one_made_anew(changes: list[tuple[str, str]], query: str) -> None:
    kept, latest = TextIndex(), dict(changes)
    for name, text in changes:
        kept.put(name, {"bio": text})
    fresh = TextIndex()
    for name, text in latest.items():
        fresh.put(name, {"bio": text})
    assert kept.postings == fresh.postings
    assert kept.find(query) == fresh.find(query)
    for run, unspaced in asked(query):
        if unspaced:
            assert fresh.find(run) == {name for name, text in latest.items() if run in normal(text)}


def test_tokens_of_both_kinds_of_writing() -> None:
    assert tokens("口红abc") == {"口", "红", "口红", "abc"}


def test_a_creator_is_found_by_tags_categories_in_english_too_place_and_handle() -> None:
    words = words_of(evolve(INITIAL, REGISTERED))
    assert words == {"tags": "", "categories": "美妆 口红 makeup beauty", "location": " 上海", "handle": "lin.mei"}
    assert words_of(State()) == {}
