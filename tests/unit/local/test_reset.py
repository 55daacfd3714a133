"""`reset` asks, deletes what a platform keeps, and nothing that others put beside it."""

import argparse
import io
import os
import subprocess
from pathlib import Path

import pytest

from cli.layout import Layout
from cli.local.ports import FILE as PORTS
from cli.local.reset import reset
from tests.deploy.conftest import ROOT
from tools.servers.places import Kept


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a platform leaves: keys, databases, logs, and a server's data that lies outside behind a link."""
    layout = Layout.at(tmp_path / "platform")
    layout.save(2**22 + 1, "embedded")
    made = layout.folder
    for name in ("ledger.db", "ledger.db-wal", "bus.db", PORTS, "mine.txt"):
        (made / name).write_text("x")
    (tmp_path / "outside" / "data").mkdir(parents=True)
    (made / "kafka-postgres").mkdir()
    (made / "kafka-postgres" / "postgres").symlink_to(tmp_path / "outside")
    return made


def asked(folder: Path, yes: bool = False) -> int:
    return reset(argparse.Namespace(data=folder, yes=yes))


def test_yes_deletes_all_data_and_keys_and_leaves_the_ports_and_what_is_not_ours(folder: Path) -> None:
    assert asked(folder, yes=True) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["mine.txt", PORTS]
    assert not (folder.parent / "outside").exists()


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 1), ("\n", 1)])
def test_only_the_whole_word_agrees(folder: Path, answer: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert asked(folder) == code
    assert (folder / "ledger.db").exists() == bool(code)


def test_where_nobody_can_be_asked_nothing_is_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert asked(folder) == 1
    assert (folder / "ledger.db").exists()
    assert "`make reset YES=1` or `dandelion reset --yes`" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "sent"), [((), []), (("YES=1",), ["--yes"])])
def test_make_passes_on_that_nobody_is_to_be_asked(said: tuple[str, ...], sent: list[str]) -> None:
    shown = subprocess.run(["make", "-n", "reset", *said], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert shown.split("-m cli reset")[1].split() == sent


def test_a_running_platform_keeps_its_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Layout.at(folder).save(os.getpid(), "embedded")
    assert asked(folder, yes=True) == 1
    assert (folder / "ledger.db").exists()
    assert "`down` first" in capsys.readouterr().err


def test_a_folder_without_a_platform_has_nothing_to_delete(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    assert asked(tmp_path) == 0
    assert (tmp_path / "mine.txt").exists()


def test_what_stands_outside_has_one_name_for_each_folder(tmp_path: Path) -> None:
    one, other = Kept(tmp_path / "a" / "postgres", 1), Kept(tmp_path / "b" / "postgres", 1)
    assert one.name() != other.name()
    one.folder.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    before = one.name()
    one.folder.symlink_to(tmp_path / "elsewhere")
    assert one.name() == before
