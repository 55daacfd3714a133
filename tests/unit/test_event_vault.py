"""Personal fields of events: encrypted together, bound to their event, blank without the key."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import orjson
import pytest

from kernel.adapters.database import Database
from kernel.adapters.vault.event_vault import EventVault, open_event, seal_event
from kernel.adapters.vault.personal import SubjectKey
from kernel.core.canonical import canonical
from kernel.core.codec import Codec
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.core.personal import SEALED, PersonalData, PersonalForm, join, personal_paths

ANN = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f"
STREAM = f"person-{ANN}"
KEY = SubjectKey(ANN, os.urandom(32))


@dataclass(frozen=True, slots=True)
class Address:
    country: str
    street: Annotated[str, PersonalData()]


@dataclass(frozen=True, slots=True)
class Moved:
    year: Annotated[int | None, PersonalData(None)]
    home: Address
    others: tuple[Address, ...] = ()
    former: Address | None = None
    tags: Annotated[tuple[str, ...], PersonalData(())] = ()
    freed: Annotated[tuple[str, ...], PersonalData((), stored=False)] = ()


@dataclass(frozen=True, slots=True)
class Rang:
    times: int


FULL = Moved(1990, Address("CN", "Elm 1"), (Address("CN", "Oak 2"), Address("FR", "Pin 3")), None, ("a",), ("gone",))
CODEC = Codec({"person.moved@1": Moved, "person.rang@1": Rang})
FORM = PersonalForm(Moved)


def sealed(event: Moved = FULL, key: SubjectKey | None = KEY, version: int = 1) -> bytes:
    return seal_event(FORM, STREAM, version, canonical(event), key)


def opened(data: bytes, key: SubjectKey | None = KEY, event_id: str = f"{STREAM}@1") -> Moved:
    raw = orjson.loads(data)
    values = open_event(raw.pop(SEALED, ""), event_id, key)
    found = CODEC.decode("person.moved@1", join(raw, values) if values else orjson.dumps(raw))
    assert isinstance(found, Moved)
    return found


def test_personal_fields_are_found_in_values_lists_and_what_may_be_absent() -> None:
    assert [".".join(path) for path, _ in personal_paths(Moved)] == [
        "year", "home.street", "others.*.street", "former.street", "tags", "freed",
    ]  # fmt: skip
    assert CODEC.personal("person.moved@1")
    assert CODEC.personal("person.rang@1") is None
    assert CODEC.personal("person.moved@0") is None


def test_a_sealed_event_reads_as_it_was_but_for_what_is_never_stored() -> None:
    data = sealed()
    assert not [word for word in (b"Elm", b"Oak", b"Pin", b"1990", b"gone") if word in data]
    assert b"FR" in data
    assert opened(data) == Moved(1990, FULL.home, FULL.others, None, ("a",))


def test_without_the_key_it_reads_as_blanks_also_by_a_codec_that_knows_no_vault() -> None:
    blank = Moved(None, Address("CN", ""), (Address("CN", ""), Address("FR", "")))
    assert opened(sealed(), None) == blank
    assert opened(sealed(), SubjectKey(ANN, os.urandom(32))) == blank
    assert CODEC.decode("person.moved@1", sealed()) == blank


def test_a_ciphertext_is_good_for_its_event_only() -> None:
    with pytest.raises(Internal, match=r"personal\.unreadable"):
        opened(sealed(version=2))


def test_a_changed_ciphertext_is_told() -> None:
    raw = orjson.loads(sealed())
    text = raw[SEALED]
    raw[SEALED] = text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:]
    with pytest.raises(Internal, match=r"personal\.unreadable"):
        opened(orjson.dumps(raw))


@pytest.mark.parametrize("key", [None, SubjectKey("another", b"k" * 32)], ids=["none", "of-another"])
def test_nothing_personal_is_stored_without_the_subjects_key(key: SubjectKey | None) -> None:
    with pytest.raises(Internal, match=r"personal\.key_missing"):
        sealed(key=key)


def test_what_holds_nothing_personal_needs_no_key() -> None:
    blank = Moved(None, Address("CN", ""), freed=("gone",))
    assert opened(sealed(blank, key=None)) == Moved(None, Address("CN", ""))


@dataclass(frozen=True, slots=True)
class MovedLater:
    """The second version: a field has another name."""

    born: Annotated[int | None, PersonalData(None)]
    home: Address


class Vault(EventVault):
    async def _keys(self, subjects: Sequence[str], connection: object) -> dict[str, SubjectKey]:
        return {subject: KEY for subject in subjects if subject == ANN}


def renamed(raw: dict[str, Any]) -> dict[str, Any]:
    return {"born": raw["year"], "home": raw["home"]}


async def test_an_event_of_a_former_version_is_opened_before_it_is_upcast() -> None:
    """The type that told its personal fields is gone: what was sealed says its places by itself."""
    codec = Codec({"person.moved@2": MovedLater, "person.rang@1": Rang}, {("person.moved", 1): renamed})
    vault = Vault(cast(Database, None), codec, cast(Any, None))
    stored = recorded("person.moved@1", sealed())
    (found,) = await vault.opened([stored], None)
    assert codec.decode(found.name, found.data) == MovedLater(1990, FULL.home)
    assert len(found.data) >= len(stored.data)
    plain = recorded("person.rang@0", b'{"times":1}')
    assert await vault.opened([plain], None) == [plain]


def recorded(name: str, data: bytes) -> Recorded:
    return Recorded(1, "acme", STREAM, 1, None, name, data, b"{}", None, datetime(2026, 1, 1, tzinfo=UTC))
