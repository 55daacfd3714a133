"""What a Kafka URL says, and that a client always gets the files as they are now."""

import ssl
from pathlib import Path

import pytest

from kernel.adapters.kafka_url import Brokers
from kernel.core.faults import Internal


def test_a_plain_url_asks_for_nothing() -> None:
    brokers = Brokers.of("kafka://a:9092,b:9092")
    assert brokers == Brokers("a:9092,b:9092")
    assert brokers.client() == {"bootstrap_servers": "a:9092,b:9092", "security_protocol": "PLAINTEXT"}


def test_a_rotated_password_is_in_the_next_client(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    brokers = Brokers.of(f"kafka://a:9093?replication=3&user=ledger&password_file={secret}")
    assert brokers.replication == 3
    for password in ("first", "second"):
        secret.write_text(f"{password}\n")
        made = brokers.client()
        assert made["sasl_plain_password"] == password
        assert made["sasl_plain_username"] == "ledger"
        assert made["sasl_mechanism"] == "SCRAM-SHA-512"
        assert made["security_protocol"] == "SASL_PLAINTEXT"


def test_an_authority_turns_on_tls_with_names_checked() -> None:
    authority = ssl.get_default_verify_paths().cafile
    brokers = Brokers.of(f"kafka://a:9093?ca_file={authority}")
    made = brokers.client()
    assert made["security_protocol"] == "SSL"
    assert made["ssl_context"].check_hostname
    assert made["ssl_context"].verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("query", "code"), [("replicas=3", "bus.unknown_option"), ("user=ledger", "bus.no_password_file")]
)
def test_a_url_that_would_be_misunderstood_is_refused(query: str, code: str) -> None:
    with pytest.raises(Internal) as refused:
        Brokers.of(f"kafka://a:9092?{query}")
    assert refused.value.code == code
