"""Values between Python and the wire: each helper gives back what it was given, and says no to what is none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from dandelion.common.v1.common_pb2 import CommandRefused, Fact, Money
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts import wire
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.events import CommandRefused as Stored

AT = datetime(2026, 11, 30, 9, 30, 0, 250_000, UTC)
STORED = Stored(
    "id", "funding-1", "HoldEscrow", "escrow.not_covered", '{"by":null,"short_minor":5,"soft":true,"who":"a"}'
)


def test_times_come_back_in_utc() -> None:
    assert wire.time_of(wire.stamp(AT.astimezone(timezone(timedelta(hours=8))))) == AT
    assert wire.stamp(None) is None


@pytest.mark.parametrize("seconds", [10**12, -(10**12), 2**62])
def test_a_time_that_no_calendar_has_is_a_value_error(seconds: int) -> None:
    with pytest.raises(ValueError):
        wire.time_of(Timestamp(seconds=seconds))


def test_facts_are_decimal_text_and_words() -> None:
    found = {fact.name: fact.value for fact in wire.facts(STORED.facts)}
    assert found == {"by": "", "short_minor": "5", "soft": "true", "who": "a"}


def test_a_refusal_goes_out_under_its_services_name_in_the_shared_form() -> None:
    name, value = wire.refusal("ledger", STORED, AT)
    assert name == ledger.CommandRefused.DESCRIPTOR.full_name
    assert CommandRefused.FromString(value).SerializeToString(deterministic=True) == value
    read = ledger.CommandRefused.FromString(value)
    assert (read.command_id, read.requester, read.command, read.code) == (
        "id", "funding-1", "HoldEscrow", "escrow.not_covered",
    )  # fmt: skip
    assert wire.time_of(read.refused_at) == AT
    assert len(read.facts) == 4


def test_a_service_without_a_name_of_its_own_publishes_the_shared_one() -> None:
    assert wire.refusal("documents", STORED, AT)[0] == "dandelion.common.v1.CommandRefused"


def test_a_decoder_reads_its_types_passes_over_others_and_refuses_what_is_none() -> None:
    decode = wire.decoder({Money: lambda money: money.minor})
    name, value = wire.form(Money(minor=7, currency="CNY"))
    assert (name, decode(name, value)) == ("dandelion.common.v1.Money", 7)
    assert decode(*wire.form(Fact(name="a", value="b"))) is None
    with pytest.raises(ValueError, match=r"dandelion\.common\.v1\.Money"):
        decode(name, b"\xff")
