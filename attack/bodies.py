"""Bodies: whatever the documents allow, whatever they do not, and what is no JSON at all; never an error of ours."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from attack.tally import Tally
from attack.target import Target, operations
from attack.trying import trying
from cli.layout import SERVICES

JSON = "application/json"
BUSY = {503, 504}
"""Answers of a platform that has no time now; that a stranger cannot make it so is what the floods try."""
NASTY = [
    b"", b"null", b"[]", b"NaN", b"1e400", b"-1e400", b"{", b'{"a":1,"a":2}', b"\xff\xfe\x00", b'"\\ud800"', b"[" * 100_000,
    b'{"a":' * 20_000, b"9" * 100_000, b'{"__proto__":{"x":1}}', b"\x00" * 1_000, b"{}" + b" " * 900_000,
]  # fmt: skip


def raw_bodies() -> st.SearchStrategy[bytes]:
    """No JSON, JSON of no use, and JSON of every shape with numbers and texts that somebody may choke on."""
    numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([2**63, -(2**63) - 1, 10**400]))
    leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=200))
    shaped = st.recursive(
        leaves, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=30), inner))
    )
    return st.one_of(
        st.sampled_from(NASTY), st.binary(max_size=2_000), shaped.map(lambda one: json.dumps(one).encode())
    )


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    taking = [one for one in operations(target) if "requestBody" in one[3]]
    say("any bytes")
    where = st.sampled_from(taking)
    media = st.sampled_from([JSON, JSON, "text/csv", "application/xml", "multipart/form-data", ""])

    def one(tried: tuple[Any, bytes, str]) -> None:
        (service, method, path, _), body, kind = tried
        filled = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
        answer = target.send(
            service,
            method,
            filled,
            target.caller(service),
            content=body,
            headers={"Content-Type": kind} if kind else {},
        )
        tally.check(answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text}")

    trying(st.tuples(where, raw_bodies(), media), one, 100 * scale)
    for service in SERVICES:
        say(f"{service}'s document")
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            hammer(target, service, mode, 2 * scale, tally)


def hammer(target: Target, service: str, mode: GenerationMode, examples: int, tally: Tally) -> None:
    """So many cases of every operation that the service documents."""
    for found in schemathesis.openapi.from_dict(target.document(service)).get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(max_examples=examples, database=None, derandomize=True, deadline=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            headers = {"Authorization": f"Bearer {target.caller(service)}"}
            answer = case.call(base_url=target.address.http[service], headers=headers)
            held = answer.status_code < 500 or answer.status_code in BUSY
            tally.check(held, f"{case.method} {case.path}: {answer.status_code} {answer.text}")

        try:
            one()
        except Unsatisfiable:  # a route without parameters or body has nothing that could be invalid
            assert mode is GenerationMode.NEGATIVE
