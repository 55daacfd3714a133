"""Folding: what a reader sees, with the way back to the original."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.compliance.domain.text import Folding, Matcher
from services.compliance.packs import shipped_lists

FOLDING = shipped_lists().folding


@pytest.mark.parametrize(
    ("original", "folded"),
    [
        ("最 佳", "最佳"),
        ("最\u200b佳", "最佳"),
        ("ＮＯ．１", "no 1"),
        ("N o . 1", "no1"),
        ("１００％", "100%"),
        ("1 0 0 %", "100%"),
        ("國家級", "国家级"),
        ("好的。最佳", "好的\n最佳"),
        ("buy a 5 star", "buy a 5 star"),
        ("can't lose", "cant lose"),
        ("ⅠⅡ①", "iii1"),
        ("🅽🅾.❶", "no 1"),
        ("ɴᴏ.1", "no 1"),
        ("ꓠꓳ.1", "no 1"),
        ("Ｎо．１", "no 1"),
        ("\u202e级家国\u202c", "国家级"),
        ("a\u202e级家国\u202cb", "a国家级b"),
        ("\u202e级\u202d国家\u202c家\u202c", "家国家级"),
        ("\u202e级家\n国", "家级国"),
        ("去🇳🇴挪威", "去挪威"),
        ("🇳🇴.1", "no 1"),
        ("généré", "genere"),
        ("ge\u0301ne\u0301re\u0301", "genere"),
        ("It works. Now", "it works\nnow"),
        ("", ""),
        ("🌟🌟", ""),
    ],
)
def test_fold(original: str, folded: str) -> None:
    assert FOLDING.fold(original).text == folded


@given(st.text(max_size=200))
def test_every_folded_character_has_a_place_in_order(original: str) -> None:
    folded = FOLDING.fold(original)
    assert len(folded.text) == len(folded.origin)
    if "\u202e" not in original:
        assert list(folded.origin) == sorted(folded.origin)
    assert all(0 <= index < len(original) for index in folded.origin)


@given(st.lists(st.sampled_from(["最", "佳", " ", "🌟", "a", "。", "\u200b", "國"]), max_size=30).map("".join))
def test_a_hit_spans_its_own_characters_in_the_original(original: str) -> None:
    folded = FOLDING.fold(original)
    for hit in Matcher(["最佳"], [], FOLDING).find(folded):
        span = folded.span(hit.start, hit.end)
        excerpt = original[span.start : span.end]
        assert excerpt[0] == "最"
        assert excerpt[-1] == "佳"


def find(terms: list[str], harmless: list[str], text: str) -> list[str]:
    return [hit.term for hit in Matcher(terms, harmless, FOLDING).find(FOLDING.fold(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("保过", ["保过"]),
        ("环保过滤", []),
        ("环保过滤，保过", ["保过"]),
        ("环保，过滤", []),
    ],
)
def test_a_harmless_phrase_excuses_only_itself(text: str, found: list[str]) -> None:
    assert find(["保过"], ["环保过"], text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no 1 brand", ["no 1"]),
        ("no 12", []),
        ("piano 1", []),
        ("it cures", []),
        ("it cured", []),
        ("a cure!", ["cure"]),
    ],
)
def test_latin_terms_match_whole_words(text: str, found: list[str]) -> None:
    assert find(["no 1", "cure"], [], text) == found


def test_sound_needs_three_characters() -> None:
    assert find(["国家级"], [], "国家及") == ["国家级"]
    assert find(["最佳"], [], "最加") == []


def test_a_folding_without_tables_still_folds() -> None:
    assert Folding({}, {}).fold("Ａ b").text == "a b"
