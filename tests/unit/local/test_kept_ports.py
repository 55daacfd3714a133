"""A platform's ports are drawn once and kept; one that is taken is named with who holds it."""

import json
import os
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cli.layout import HTTP_PORTS
from cli.local import ports
from cli.local.ports import FILE, demand_free, kept_ports
from kernel.core.faults import Refused
from tools.servers.holders import taken

PROCESSES = ("campaigns relay", "metrics stream")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "FREED_S", 0.0)


def test_ports_are_drawn_once_and_the_same_at_every_later_start(tmp_path: Path) -> None:
    numbers = count(15_000)
    first = kept_ports(tmp_path, PROCESSES, lambda: next(numbers))
    assert first.edges.http == HTTP_PORTS
    assert len(set(first.named().values())) == len(first.named())
    assert kept_ports(tmp_path, PROCESSES, lambda: next(numbers)) == first
    assert next(numbers) == 15_000 + len(PROCESSES) + len(ports.SERVERS)


def test_a_process_that_is_new_gets_a_port_and_the_others_keep_theirs(tmp_path: Path) -> None:
    numbers = count(15_000)
    first = kept_ports(tmp_path, PROCESSES, lambda: next(numbers))
    more = kept_ports(tmp_path, (*PROCESSES, "ledger audit"), lambda: next(numbers))
    assert {name: more.probes[name] for name in PROCESSES} == first.probes
    assert more.probes["ledger audit"] not in first.named().values()


def test_a_file_that_names_every_free_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"ports\.wrong") as refused:
        kept_ports(tmp_path, PROCESSES, lambda: HTTP_PORTS["ledger"])
    assert "remove ports from it" in str(refused.value)


def test_ports_that_a_person_wrote_are_taken(tmp_path: Path) -> None:
    kept_ports(tmp_path, PROCESSES)
    saved = json.loads((tmp_path / FILE).read_text())
    saved["http"]["ledger"] = 28_103
    (tmp_path / FILE).write_text(json.dumps(saved))
    assert kept_ports(tmp_path, PROCESSES).edges.http["ledger"] == 28_103


@pytest.mark.parametrize(
    ("name", "port"), [("ledger", 0), ("ledger", 65_536), ("ledger", "8103"), ("ledger", HTTP_PORTS["metrics"])]
)
def test_a_wrong_port_is_named(tmp_path: Path, name: str, port: object) -> None:
    kept_ports(tmp_path, PROCESSES)
    saved = json.loads((tmp_path / FILE).read_text())
    saved["http"][name] = port
    (tmp_path / FILE).write_text(json.dumps(saved))
    with pytest.raises(Refused, match=r"ports\.wrong") as refused:
        kept_ports(tmp_path, PROCESSES)
    assert name in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", '{"https": {}}'])
def test_a_file_that_is_no_list_of_ports_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Refused, match=r"ports\.wrong"):
        kept_ports(tmp_path, PROCESSES)


def test_a_taken_port_is_named_with_the_pid_and_command_line_of_who_holds_it(
    tmp_path: Path, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]
    (sentence,) = taken({"HTTP of ledger": port})
    command = Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    assert sentence.startswith(f"port {port} (HTTP of ledger) is taken by pid {os.getpid()} ({command[:40]}")
    with pytest.raises(Refused, match=r"ports\.taken") as refused:
        demand_free(tmp_path, {"HTTP of ledger": port})
    assert f"pid {os.getpid()}" in str(refused.value)


def test_a_port_whose_connections_linger_is_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as one:
        other, _ = listener.accept()
        listener.close()
        other.close()
        one.recv(1)
    assert taken({"probe": port}) == []


def test_no_port_of_the_file_is_drawn_for_another_process(tmp_path: Path) -> None:
    of_others = [*HTTP_PORTS.values(), *range(15_000, 15_100)]
    made = kept_ports(tmp_path, PROCESSES, iter(of_others).__next__)
    assert set(made.probes.values()) | set(made.servers.values()) <= set(range(15_000, 15_100))
