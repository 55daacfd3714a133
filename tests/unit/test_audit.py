"""The audit of dependencies finds a version known to be vulnerable, in both forms of data, and says when it cannot look."""

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools.audit import __main__ as audit
from tools.audit import advisories
from tools.audit.advisories import Advisories, NoAdvisories, bundled, normal, of_osv

LOCK = "aiohttp==3.14.2 \\\n    --hash=sha256:00\nPy_JWT==2.12.0 \\\n    --hash=sha256:00\nuv==0.9.1 ; sys_platform != 'win32'\n"
RECORD: dict[str, Any] = {
    "id": "GHSA-jq35-7prp-9v3f", "summary": "allow-list bypass", "modified": "2026-06-02T10:00:00Z",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "Py-JWT"},
                  "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.9.0"}, {"fixed": "2.13.0"}]}]}],
}  # fmt: skip


def osv(folder: Path, *records: dict[str, Any], packed: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    if packed:
        with zipfile.ZipFile(folder / "all.zip", "w") as made:
            for number, record in enumerate(records):
                made.writestr(f"{number}.json", json.dumps(record))
        return folder / "all.zip"
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    return folder


def found(known: Advisories, lock: str = LOCK) -> list[tuple[str, str]]:
    return [(package, version) for package, version, _ in audit.vulnerable(audit.locked(lock), known)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_known_bad_version_is_found(tmp_path: Path, packed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    path = osv(tmp_path / "osv", RECORD, packed=packed)
    (tmp_path / "lock").write_text(LOCK)
    assert audit.main(["--lock", str(tmp_path / "lock"), "--advisories", str(path)]) == 1
    said = capsys.readouterr().out
    assert "py-jwt 2.12.0: GHSA-jq35-7prp-9v3f allow-list bypass" in said
    assert "3 packages, 1 of them named by 1 advisories" in said
    assert "2026-06-02" in said


@pytest.mark.parametrize(
    ("events", "versions", "bad"),
    [
        ([{"introduced": "0"}, {"fixed": "2.12.1"}], [], True),
        ([{"introduced": "0"}, {"fixed": "2.12.0"}], [], False),
        ([{"introduced": "2.12.0"}], [], True),
        ([{"introduced": "2.12.1"}], [], False),
        ([{"introduced": "0"}, {"last_affected": "2.12.0"}], [], True),
        ([{"introduced": "0"}, {"last_affected": "2.11"}], [], False),
        ([{"introduced": "1"}, {"fixed": "2"}, {"introduced": "2.12"}, {"fixed": "3"}], [], True),
        ([{"introduced": "1"}, {"fixed": "2"}, {"introduced": "2.13"}, {"fixed": "3"}], [], False),
        ([], ["2.12.0"], True),
        ([], ["2.12"], False),
        ([], [], False),
    ],
)
def test_ranges_and_lists_of_versions(tmp_path: Path, events: Any, versions: list[str], bad: bool) -> None:
    affected = RECORD["affected"][0] | {"ranges": [{"type": "ECOSYSTEM", "events": events}], "versions": versions}
    known = of_osv(osv(tmp_path / "osv", RECORD | {"affected": [affected]}))
    assert found(known) == ([("py-jwt", "2.12.0")] if bad else [])


def test_what_was_withdrawn_or_is_of_another_ecosystem_is_not_known(tmp_path: Path) -> None:
    npm = RECORD["affected"][0] | {"package": {"ecosystem": "npm", "name": "py-jwt"}}
    with pytest.raises(NoAdvisories):
        of_osv(osv(tmp_path / "osv", RECORD | {"withdrawn": "2026-07-01"}, RECORD | {"affected": [npm]}))


def test_the_bundled_form_is_read_as_data(tmp_path: Path) -> None:
    file = tmp_path / "advisories.json"
    rows = {
        "PyJWT": [{"id": "GHSA-1", "v": ">=2.9.0,<2.13.0", "advisory": "x"}],
        "odd": [{"id": "G", "v": "what?", "advisory": ""}],
    }
    file.write_text(json.dumps(rows))
    known = bundled(tmp_path)
    assert found(known, "pyjwt==2.12.1 \\\n") == [("pyjwt", "2.12.1")]
    assert found(known, "pyjwt==2.15.1 \\\nodd==1 \\\n") == []
    assert (len(known), known.of) == (2, advisories.BUNDLED_OF)


def test_without_advisories_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("subprocess.run", lambda *_, **__: type("Done", (), {"returncode": 1}))
    with pytest.raises(NoAdvisories, match="ADVISORIES"):
        bundled(tmp_path)
    assert audit.main(["--advisories", str(tmp_path / "nowhere.zip")]) == 2
    assert "nowhere.zip" in capsys.readouterr().out


def test_the_lock_is_read_whole_and_the_data_says_how_old_it_is() -> None:
    packages = audit.locked(Path("requirements.lock").read_text())
    assert len(packages) > 100
    assert {"pyjwt", "aiohttp", "cryptography", "dnspython"} <= packages.keys()
    assert date(2026, 1, 1) < advisories.BUNDLED_OF
    assert normal("Zope.Interface_x") == "zope-interface-x"
