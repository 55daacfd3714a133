"""Whoever adds a field to a stored event decides whether it is personal: marked `PersonalData`, or named here as harmless."""

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

HARMLESS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "harmless_fields.toml").read_text())
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


DO = "mark each `Annotated[..., PersonalData()]`, or name it in harmless_fields.toml if it tells of no person"


def test_every_text_of_a_creators_events_is_marked_personal_or_named_as_harmless() -> None:
    found = unmarked("discovery")
    assert sorted(found - set(HARMLESS["discovery"])) == [], DO
    assert sorted(set(HARMLESS["discovery"]) - found) == [], "these are gone, or are marked by now"


@pytest.mark.parametrize("service", sorted(WIRED.keys() - {"discovery"}))
def test_no_other_service_stores_what_sounds_like_a_persons(service: str) -> None:
    heard = {text for text in unmarked(service) if SOUNDS_PERSONAL.search(text.partition(".")[2])}
    assert sorted(heard - set(HARMLESS["sounds_personal"])) == [], DO


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
