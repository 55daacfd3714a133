"""docs/reference and the console's sentences are what the code makes; every code that somebody can meet is explained there."""

import ast
from collections import defaultdict

import pytest

from tools.reference.__main__ import stale, wrong
from tools.reference.entries import EVERY, WHO, Entry, entries, left_over, missing
from tools.reference.roles import ROLES, _required, asked
from tools.reference.scan import MADE, Found, _codes_of, codes


def test_every_code_has_an_entry_and_every_entry_a_code() -> None:
    assert wrong() == []


def test_no_page_is_stale() -> None:
    assert stale() == [], "run `make reference`"


SOURCE = """
class Away(Unavailable):
    def __init__(self):
        super().__init__("door.away")

def decide(kind, last):
    code = "door.open" if last else "door.shut"
    valid(kind, "door.narrow")
    topic = "door.events.v1"
    name = "doors.tsv"
    if last:
        raise Refused(code)
    raise Forbidden(f"{kind}.unknown")
"""


def test_the_scan_sees_how_codes_are_raised() -> None:
    found = defaultdict(set)
    for code, kind in _codes_of(ast.parse(SOURCE), "ledger"):
        found[code].add(kind)
    assert dict(found) == {
        "door.away": {"unavailable"}, "door.open": {"refused"}, "door.shut": {"refused"}, "door.narrow": {"invalid"},
        "payout.unknown": {"forbidden"}, "refund.unknown": {"forbidden"},
    }  # fmt: skip


def test_a_code_that_is_put_together_in_a_new_way_stops_the_scan() -> None:
    """Else nobody would write its entries."""
    with pytest.raises(KeyError):
        list(_codes_of(ast.parse('raise Refused(f"door.{why}")'), "ledger"))
    assert ("campaigns", "campaign.not_{}") in MADE


def test_a_missing_and_a_left_over_entry_are_named() -> None:
    found, known = {"door.open": Found()}, {(EVERY, "door.shut"): Entry("caller", "Shut.", "Open it.")}
    found["door.open"].kinds["ledger"].add("refused")
    assert missing(found, known) == ["ledger: door.open"]
    assert left_over(found, known) == [f"{EVERY}: door.shut"]


def test_entries_are_sentences() -> None:
    bad = [
        f"{file}: {code}"
        for (file, code), one in entries().items()
        if one.who not in WHO or not one.meaning.endswith(".") or not one.how.endswith(".") or len(one.meaning) > 140
    ]
    assert bad == []


def test_what_a_caller_meets_first_is_there() -> None:
    assert {"token.missing", "request.invalid", "campaign.unknown", "payout.more_than_available"} <= codes().keys()


def test_roles_are_found_however_they_are_named() -> None:
    """A literal, a constant of the module or of another one, and a table."""
    found = {(service, what): needed for service, what, needed in asked()}
    assert found["ledger", "HoldEscrow"] == ("finance", "system")
    assert found["ledger", "RequestPayout"] == ("agency", "creator", "finance")
    assert found["discovery", "contested: contested"] == ("auditor", "operator")
    assert {role for needed in found.values() for role in needed} <= ROLES.keys()
    with pytest.raises(ValueError, match="roles that are not named here"):
        list(_required(ast.parse("def decide(actor):\n    actor.require(role_of(actor))").body[0], {}))  # type: ignore[arg-type]
