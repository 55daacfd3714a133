"""A command's fingerprint: a body or command that grows a field with a default stays the same command."""

import hashlib
from dataclasses import dataclass, field, fields, make_dataclass
from types import SimpleNamespace
from typing import Any, get_args

from fastapi import Response

from kernel.core.canonical import canonical, without_defaults
from kernel.core.decider import Actor, Meta
from kernel.core.ids import new_id
from kernel.edge.fields import Body
from kernel.edge.http import CommandRequest
from services.ledger.domain.commands import ReleasePayment, Weight
from services.ledger.domain.repeats import input_hash

REQUEST = get_args(CommandRequest)[0]
ACTOR = Actor("bella", "tenant-1", frozenset({"brand"}))


class PartBody(Body):
    name: str


class NoteBody(Body):
    title: str
    parts: tuple[PartBody, ...] = ()
    colour: str = "red"


class GrownPartBody(PartBody):
    size: int = 1


class GrownNoteBody(NoteBody):
    parts: tuple[GrownPartBody, ...] = ()
    language: str = "zh"


@dataclass(frozen=True)
class Draft:
    pass


def meta(body: Body) -> Meta:
    edge = SimpleNamespace(fingerprint_key=b"k" * 16)
    app = SimpleNamespace(state=SimpleNamespace(edge=edge))
    http = SimpleNamespace(url=SimpleNamespace(path="/notes/1"), state=SimpleNamespace(correlation="c"), app=app)
    made: Meta = REQUEST(ACTOR, "key", http, Response()).meta(f"note-{new_id()}", Draft(), body)
    return made


GIVEN: dict[str, Any] = {"title": "Spring", "parts": [{"name": "one"}]}


def test_a_grown_body_is_the_same_body() -> None:
    before, now = (meta(kind.model_validate(GIVEN)) for kind in (NoteBody, GrownNoteBody))
    assert before.fingerprint == now.fingerprint
    assert now.repeats(before.fingerprint)


def test_another_body_is_another_body() -> None:
    before = meta(NoteBody.model_validate(GIVEN))
    changes: tuple[dict[str, Any], ...] = ({"title": "Autumn"}, {"colour": "blue"}, {"parts": []})
    for change in changes:
        assert not meta(NoteBody.model_validate(GIVEN | change)).repeats(before.fingerprint)
    assert not meta(GrownNoteBody.model_validate(GIVEN | {"language": "en"})).repeats(before.fingerprint)


def test_a_command_that_0_1_0_stored_is_known_by_its_fingerprint_over_defaults() -> None:
    now = meta(NoteBody.model_validate(GIVEN))
    assert now.former_fingerprint is not None
    former = now.former_fingerprint()
    assert former != now.fingerprint
    assert now.repeats(former)
    assert not Meta("id", ACTOR, "one").repeats("another")
    assert not Meta("id", ACTOR, "one").repeats("")


def test_the_hash_of_a_chains_input_is_as_stored_and_outlives_a_grown_command() -> None:
    weight, command = _grown(Weight), _grown(ReleasePayment)
    given = ("r", "d", "c", "CNY", 100, 10, 50)
    stored = ReleasePayment(*given, (Weight("c", 2), Weight("e", 1)))
    assert input_hash(stored) == _as_0_1_0(stored)
    assert input_hash(ReleasePayment(*given[:6])) == _as_0_1_0(ReleasePayment(*given[:6]))
    assert input_hash(command(*given, (weight("c", 2), weight("e", 1)))) == input_hash(stored)
    assert input_hash(command(*given, (weight("c", 2, "x"), weight("e", 1)))) != input_hash(stored)
    assert input_hash(command(*given, (weight("c", 2),))) != input_hash(stored)


def test_what_a_row_gives_is_the_same_when_its_values_grow() -> None:
    weight = _grown(Weight)
    rows = (("release", (Weight("c", 2), Weight("e", 1))), ("release", (weight("c", 2), weight("e", 1))))
    assert canonical(without_defaults(rows[0])) == canonical(without_defaults(rows[1]))
    assert without_defaults(rows[1]) != without_defaults(("release", (weight("c", 2, "x"), weight("e", 1))))
    assert without_defaults(rows[1]) != without_defaults(("release", (weight("c", 3), weight("e", 1))))


def _grown(kind: Any) -> Any:
    """The class with one more field, under its own name."""
    made = make_dataclass(
        kind.__name__, [("since", str, field(default="as before"))], bases=(kind,), frozen=True, slots=True
    )
    made.__qualname__ = kind.__qualname__
    return made


def _as_0_1_0(command: Any) -> str:
    given = [item for item in fields(command) if not item.metadata.get("evidence")]
    pairs = [(item.name, getattr(command, item.name), item.default) for item in given]
    text = "\x1f".join(f"{name}={value!s}" for name, value, default in pairs if value != default)
    return hashlib.sha256(f"{type(command).__name__}\x1f{text}".encode()).hexdigest()[:32]
