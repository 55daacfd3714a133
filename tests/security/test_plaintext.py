"""Plaintext between machines: Kafka and edges without TLS are for this machine and for development only."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli.layout import Layout
from kernel.core.faults import Invalid
from kernel.host import main
from kernel.runtime import roles
from kernel.runtime.settings import Settings, load
from kernel.runtime.tls.material import TlsFiles
from services.compliance.wiring import SERVICE


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


PAIR = {"tls_certificate_file": "/tls.crt", "tls_key_file": "/tls.key"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "", "127.0.0.1.example"])
def test_an_edge_that_other_machines_reach_is_refused_in_plaintext(host: str) -> None:
    with pytest.raises(Invalid, match=r"edge\.in_plaintext .*DANDELION_TLS_CERTIFICATE_FILE"):
        told(bus_url="local:///bus.db", host=host).edge_files()
    for allowed in ("development", "plaintext_edges"):
        assert told(bus_url="local:///bus.db", host=host, **{allowed: True}).edge_files() is None
    files = told(bus_url="local:///bus.db", host=host, **PAIR, tls_client_ca_file="/ca.crt").edge_files()
    assert files == TlsFiles(Path("/tls.crt"), Path("/tls.key"), Path("/ca.crt"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_an_edge_for_this_machine_alone_needs_no_tls(host: str) -> None:
    assert told(bus_url="local:///bus.db", host=host).edge_files() is None


@pytest.mark.parametrize("name", ["tls_certificate_file", "tls_key_file", "tls_client_ca_file"])
def test_a_file_without_those_that_it_needs_is_refused(name: str) -> None:
    """An edge whose key was forgotten is not one in plaintext."""
    with pytest.raises(ValidationError, match="DANDELION_TLS_"):
        told(bus_url="local:///bus.db", **{name: "/file"})


@pytest.mark.parametrize(("role", "is_ended"), [("rest", True), ("rpc", True), ("relay", False)])
def test_a_process_with_an_edge_in_plaintext_ends_at_its_start(
    role: str, is_ended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in Layout.at(tmp_path).environment("compliance").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DANDELION_HOST", "0.0.0.0")
    monkeypatch.setenv("DANDELION_DEVELOPMENT", "false")
    monkeypatch.setattr(sys, "argv", ["compliance", role])
    monkeypatch.setattr(main, "start_logging", lambda *_: None)
    monkeypatch.setattr(roles, "main", lambda running: running.close())
    if not is_ended:
        main.main(SERVICE, SERVICE.settings)  # the role `relay` has no edge
        return
    with pytest.raises(SystemExit) as stopped:
        main.main(SERVICE, SERVICE.settings)
    assert stopped.value.code == 78
    assert "edge.in_plaintext" in capsys.readouterr().err
