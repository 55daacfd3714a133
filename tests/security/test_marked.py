"""Whoever adds a field to a stored event decides whether it is personal: marked `PersonalData`, or named as harmless or kept."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from cli.embedded import WIRED
from kernel.core.canonical import Hashed
from kernel.core.personal import PersonalData, inner_types, personal_paths

NAMED: dict[str, Any] = tomllib.loads((Path(__file__).parent / "harmless_fields.toml").read_text())
NAMES_A_PERSON = {"birth_year", "gender"}
"""Fields of other types than text that are personal wherever they stand."""
SOUNDS_PERSONAL = re.compile(
    "(^|_)(name|handle|nickname|email|mail|phone|mobile|address|street|birth|birthday|gender|age|city|province|contact|bio|iban"
    "|passport)(_|$)"
)


def texts_of(kind: Any, seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """`Type.field` of every unmarked field, at any depth, that holds text."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if any(isinstance(one, PersonalData) for one in getattr(hint, "__metadata__", ())):
            continue
        if holds_text(hint) or name in NAMES_A_PERSON:
            yield f"{kind.__name__}.{name}"
        for inner in {found for _, found in inner_types(unwrapped(hint))} - seen:
            yield from texts_of(inner, seen | {kind})


def unwrapped(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Hashed else hint


def holds_text(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return holds_text(get_args(hint)[0])
    if isinstance(hint, type):
        return issubclass(hint, str) and not issubclass(hint, Enum)
    return any(holds_text(part) for part in get_args(hint))


def unmarked(service: str) -> set[str]:
    codec = WIRED[service].codec
    return {text for name, at in codec.versions().items() for text in texts_of(codec._types[f"{name}@{at}"])}


ARTICLE = re.compile(r"(?:GDPR|PIPL|Internet Advertising Measures,?) Art\. \d+(?:\(\d\)\(\w\))?")
DO = "mark each `Annotated[..., PersonalData()]`, or name it in harmless_fields.toml: harmless, or kept and why"


@pytest.mark.parametrize("service", WIRED)
def test_every_text_of_a_stored_event_is_marked_or_named(service: str) -> None:
    found, harmless, kept = unmarked(service), set(NAMED["harmless"][service]), set(NAMED["kept"].get(service, {}))
    assert sorted(found - harmless - kept) == [], DO
    assert sorted((harmless | kept) - found) == [], "these are gone, or are marked by now"
    assert sorted(harmless & kept) == []


@pytest.mark.parametrize("service", WIRED)
def test_what_sounds_like_a_persons_is_looked_at_twice(service: str) -> None:
    heard = {text for text in NAMED["harmless"][service] if SOUNDS_PERSONAL.search(text.partition(".")[2])}
    assert sorted(heard - set(NAMED["sounds_personal"])) == [], DO


def test_what_is_kept_of_a_person_is_kept_for_an_article_that_the_security_page_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    articles = {one for kept in NAMED["kept"].values() for why in kept.values() for one in ARTICLE.findall(why)}
    assert articles
    assert [one for one in articles if one not in page] == []
    assert [name for kept in NAMED["kept"].values() for name, why in kept.items() if not ARTICLE.search(why)] == []


@pytest.mark.parametrize("service", WIRED)
def test_a_service_that_stores_personal_fields_has_a_vault(service: str) -> None:
    codec = WIRED[service].codec
    marked = [name for name in codec.versions() if codec.personal(f"{name}@{codec.versions()[name]}")]
    assert not marked or "personal_keys" in WIRED[service].metadata().tables


@dataclass(frozen=True)
class Planted:
    nickname: str
    sealed: Annotated[str, PersonalData()]
    friends: tuple[str, ...]
    birth_year: int | None


def test_the_lint_bites() -> None:
    assert list(texts_of(Planted)) == ["Planted.nickname", "Planted.friends", "Planted.birth_year"]
    assert [path for path, _ in personal_paths(Planted)] == [("sealed",)]
