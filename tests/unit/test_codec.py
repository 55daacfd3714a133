"""Stored names and bytes: canonical, faithful for ever, lifted version by version; garbage gives typed errors only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.canonical import canonical
from kernel.core.codec import Codec, Raw
from kernel.core.events import REFUSED_NAME, CommandRefused
from kernel.core.faults import Poison


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leg:
    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Painted:
    at: datetime
    colour: Colour
    legs: tuple[Leg, ...]
    note: str | None
    final: bool


@dataclass(frozen=True, slots=True)
class Measured:
    length_mm: int
    unit_named: bool


def _from_cm(raw: Raw) -> Raw:
    return {"length_mm": raw["length_cm"] * 10}


def _name_unit(raw: Raw) -> Raw:
    return raw | {"unit_named": False}


CODEC = Codec(
    {"wall.painted@1": Painted, "wall.measured@3": Measured, REFUSED_NAME: CommandRefused},
    {("wall.measured", 1): _from_cm, ("wall.measured", 2): _name_unit},
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAINTED = st.builds(
    Painted,
    at=st.datetimes(timezones=st.just(UTC)),
    colour=st.sampled_from(Colour),
    legs=st.lists(st.builds(Leg, TEXT, NUMBERS), max_size=4).map(tuple),
    note=st.none() | TEXT,
    final=st.booleans(),
)


@given(PAINTED)
def test_what_is_stored_comes_back_and_is_stored_the_same_again(event: Painted) -> None:
    name, data = CODEC.encode(event)
    again = CODEC.decode(name, data)
    assert (name, again) == ("wall.painted@1", event)
    assert CODEC.encode(again) == (name, data)


def test_bytes_are_canonical() -> None:
    event = Painted(datetime(2026, 3, 1, 12, tzinfo=UTC), Colour.RED, (Leg("é", -1),), None, True)
    wanted = '{"at":"2026-03-01T12:00:00Z","colour":"red","legs":[{"account":"é","amount_minor":-1}],"note":null,"final":true}'
    assert canonical(event) == wanted.encode()
    assert canonical({"b": 1, "a": 2}) == b'{"a":2,"b":1}'


def test_times_are_the_same_instant_whatever_the_zone() -> None:
    there = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    name, data = CODEC.encode(Painted(there, Colour.BLUE, (), None, False))
    assert CODEC.decode(name, data).at == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("wall.measured@1", b'{"length_cm":7}', Measured(70, False)),
        ("wall.measured@2", b'{"length_mm":71}', Measured(71, False)),
        ("wall.measured@3", b'{"length_mm":72,"unit_named":true}', Measured(72, True)),
    ],
)
def test_every_version_ever_stored_is_read_as_todays(name: str, data: bytes, wanted: Measured) -> None:
    assert CODEC.decode(name, data) == wanted


def test_the_kernels_own_refusal_is_stored_as_it_always_was() -> None:
    """The golden form of `command.refused@1`: every log holds it for ever."""
    golden = (
        b'{"command_id":"c-1","requester":"funding-2","command":"HoldEscrow",'
        b'"code":"escrow.not_covered","facts":"{\\"short_minor\\":5}"}'
    )
    refusal = CommandRefused("c-1", "funding-2", "HoldEscrow", "escrow.not_covered", '{"short_minor":5}')
    assert CODEC.encode(refusal) == ("command.refused@1", golden)
    assert CODEC.decode("command.refused@1", golden) == refusal


@given(
    st.sampled_from(["wall.painted@1", "wall.measured@1", "wall.measured@3", "wall.measured@4", "no.such@1"]),
    st.binary(),
)
def test_garbage_is_poison_and_nothing_else(name: str, data: bytes) -> None:
    with pytest.raises(Poison, match=r"event\.(unknown|malformed)"):
        CODEC.decode(name, data)


@pytest.mark.parametrize("data", [b"[]", b"7", b"null", b'{"length_cm":"x"}', b"{}", b'{"length_cm":null}', b'"x"'])
def test_well_formed_nonsense_of_an_old_version_is_poison(data: bytes) -> None:
    with pytest.raises(Poison, match=r"event\.malformed"):
        CODEC.decode("wall.measured@1", data)


@pytest.mark.parametrize(
    "name", ["wall.painted", "wall.painted@", "wall.painted@x", "wall.painted@2", "", "@", "wall.painted@²"]
)
def test_an_unknown_name_is_poison(name: str) -> None:
    with pytest.raises(Poison, match=r"event\.unknown"):
        CODEC.decode(name, b"{}")


def test_a_type_or_a_noun_verb_stored_twice_is_a_mistake() -> None:
    for types in ({"a.b@1": Leg, "a.c@1": Leg}, {"a.b@1": Leg, "a.b@2": Painted}):
        with pytest.raises(ValueError, match="under one name"):
            Codec(types)
