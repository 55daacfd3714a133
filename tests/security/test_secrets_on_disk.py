"""Secrets and data on a disk: what a platform makes there is for its own user, whatever umask it was started with."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pydantic import ValidationError

import cli.main
import kernel.host.main
import sandbox.__main__
import sandbox.keys
import soak.__main__
from cli.layout import SERVICES, Layout
from kernel.core.faults import Refused
from kernel.host.app import run_migrations
from services.discovery.wiring import SERVICE as DISCOVERY
from services.ledger.ports import Anchors
from services.ledger.wiring import SERVICE


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def others(folder: Path) -> dict[str, str]:
    """What other users of the machine have rights to, by path."""
    modes = {str(path.relative_to(folder)): path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    return {path: stat.filemode(mode) for path, mode in modes.items() if mode & 0o077}


def test_a_platforms_folder_is_its_owners_also_where_it_was_open_before(tmp_path: Path) -> None:
    assert stat.S_IMODE(Layout.at(tmp_path / "new" / ".data").folder.stat().st_mode) == 0o700
    for mode in (0o755, 0o750, 0o707):
        before = tmp_path / f"{mode:o}"
        before.mkdir()
        before.chmod(mode)
        assert stat.S_IMODE(Layout.at(before).folder.stat().st_mode) == 0o700


def test_a_folder_that_many_users_share_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(Refused, match=r"folder\.shared"):
        Layout.at(tmp_path)
    assert (stat.S_IMODE(tmp_path.stat().st_mode), list(tmp_path.iterdir())) == (0o1777, [])


PROGRAMS: list[Any] = [
    pytest.param(cli.main.main, ["--help"], id="cli"),
    pytest.param(lambda: kernel.host.main.main(SERVICE, SERVICE.settings), [], id="service"),
    pytest.param(sandbox.__main__.main, [], id="sandbox"),
    pytest.param(lambda: sandbox.keys.main([]), [], id="keys"),
    pytest.param(soak.__main__.main, ["--help"], id="soak"),
]


@pytest.mark.parametrize(("program", "words"), PROGRAMS)
def test_every_program_makes_files_for_its_own_user(
    program: Callable[[], object], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *words])
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: None)
    with suppress(SystemExit):
        program()
    assert os.umask(0o022) == 0o077


async def test_what_a_platform_writes_no_other_user_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["dandelion", "--help"])
    with pytest.raises(SystemExit):
        cli.main.main()
    layout = Layout.at(tmp_path / "fresh" / ".data")
    layout.save(0, "embedded")
    await run_migrations(SERVICE, SERVICE.settings.model_validate(layout.settings("ledger")))
    await Anchors(layout.folder / "anchors").write(1, "root")
    assert {path.name for path in layout.folder.iterdir()} >= {"ledger.db", "master.keys", "platform.json", "anchors"}
    assert others(tmp_path / "fresh") == {}


READ_BY = {
    "master_keys_file": {"discovery", "campaigns", "compliance"},
    "psp_key_file": {"ledger"},
    "psp_webhook_secrets_file": {"ledger"},
    "fingerprint_key_file": set(SERVICES),
}


def test_a_service_is_told_of_the_secrets_that_it_reads(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    told = {name: {key for key in layout.settings(name) if key.endswith("_file")} for name in SERVICES}
    assert told == {name: {key for key, readers in READ_BY.items() if name in readers} for name in SERVICES}


def test_a_service_that_keeps_personal_data_is_not_started_without_master_keys(tmp_path: Path) -> None:
    settings = Layout.at(tmp_path).settings("discovery")
    with pytest.raises(ValidationError, match="master_keys_file"):
        DISCOVERY.settings.model_validate({key: text for key, text in settings.items() if key != "master_keys_file"})


def test_made_keys_are_their_makers(tmp_path: Path) -> None:
    assert sandbox.keys.main([str(tmp_path / "keys")]) == 0
    assert set(others(tmp_path / "keys")) == set()
