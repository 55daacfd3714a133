"""What a signed webhook may hold that no book or store takes: it is read as far as it can be, and never fails."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ledger.ports.webhooks import Webhook, read_webhook

GOOD = {"reference": "0f", "kind": "deposit", "status": "succeeded", "amount_minor": 5, "currency": "CNY"}


def read(timestamp: Any = "2026-01-01T08:00:00+08:00", **changes: Any) -> Webhook:
    body = {"type": "charge.succeeded", "timestamp": timestamp, "data": GOOD | changes}
    return read_webhook(json.dumps(body).encode())


def test_the_message_s_own_time_is_utc() -> None:
    verdict = read().verdict
    assert verdict is not None
    assert verdict.said_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "soon", 5, None]
)
def test_a_time_that_cannot_be_told_is_none(timestamp: Any) -> None:
    verdict = read(timestamp).verdict
    assert verdict is not None
    assert verdict.said_at is None


@pytest.mark.parametrize("field", ["reference", "currency", "provider_ref", "reason"])
@pytest.mark.parametrize("text", ["a\x00", "\x07", "a\n"], ids=["nul", "bell", "line"])
def test_what_a_store_does_not_take_is_left_out(field: str, text: str) -> None:
    webhook = read(**{field: text})
    assert webhook.verdict is None
    assert webhook.unread is not None
    assert all(value.isprintable() for value in (webhook.reference, *map(str, webhook.unread.model_dump().values())))
    assert webhook.unread.amount_minor == 5
