"""Plaintext between machines: Kafka without TLS is for this machine and for development only."""

from typing import Any

import pytest
from pydantic import ValidationError

from kernel.runtime.settings import Settings, load


def told(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": "sqlite+aiosqlite:///x", "jwks": "x", "token_issuer": "x", "fingerprint_key_file": "x",
        "http_port": 1, "rpc_port": 1,
    }  # fmt: skip
    return Settings(**(values | changes))


@pytest.mark.parametrize(
    "brokers",
    [
        "kafka.example:9092",
        "127.0.0.1:9092,kafka.example:9092",
        "10.0.0.7:9092?replication=3&user=ledger&password_file=/password",
        "0.0.0.0:9092",
        "127.0.0.1.example:9092",
        "localhost@kafka.example:9092",
        "kafka.example",
        "[2001:db8::1]:9092",
    ],
)
def test_kafka_of_another_machine_is_refused_in_plaintext(brokers: str) -> None:
    with pytest.raises(ValidationError, match=r"bus_url\n.*plaintext.*ca_file"):
        told(bus_url=f"kafka://{brokers}")
    told(bus_url=f"kafka://{brokers}", development=True)
    told(bus_url=f"kafka://{brokers}{'&' if '?' in brokers else '?'}ca_file=/ca.crt")


@pytest.mark.parametrize("url", ["local:///bus.db", "kafka://127.0.0.1:9092", "kafka://localhost:9092,[::1]:9092"])
def test_this_machine_needs_no_tls(url: str) -> None:
    assert told(bus_url=url).bus_url == url


def test_the_process_ends_with_a_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "JWKS", "TOKEN_ISSUER", "FINGERPRINT_KEY_FILE"):
        monkeypatch.setenv(f"DANDELION_{name}", "x")
    for name in ("HTTP_PORT", "RPC_PORT"):
        monkeypatch.setenv(f"DANDELION_{name}", "1")
    monkeypatch.setenv("DANDELION_BUS_URL", "kafka://kafka.example:9092")
    with pytest.raises(SystemExit) as stopped:
        load(Settings)
    assert stopped.value.code == 78
    said = capsys.readouterr().err
    assert said.startswith("setting DANDELION_BUS_URL: ")
    assert "DANDELION_DEVELOPMENT=true" in said
