"""`python -m tools.audit [--lock requirements.lock] [--advisories OSV]`: 0 when no locked version is known to be vulnerable, 1
when one is, 2 when there are no advisories to look into."""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from tools.audit.advisories import Advisories, Advisory, NoAdvisories, bundled, normal, of_osv

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def locked(lock: str) -> dict[str, str]:
    """Versions by package."""
    return {normal(name): version for name, version in LOCKED.findall(lock)}


def vulnerable(packages: Mapping[str, str], known: Advisories) -> Iterator[tuple[str, str, Advisory]]:
    """(package, version, advisory) of every locked version that an advisory concerns."""
    for package, version in sorted(packages.items()):
        for advisory in known.by_package.get(package, ()):
            if advisory.concerns(version):
                yield package, version, advisory


def main(arguments: list[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="make audit", description=__doc__)
    made.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    made.add_argument("--advisories", type=Path, help="an export of OSV for PyPI: a folder or zip of JSON files")
    given = made.parse_args(arguments)
    try:
        known = of_osv(given.advisories) if given.advisories else bundled()
    except (NoAdvisories, OSError) as missing:
        say(str(missing))
        return 2
    return report(locked(given.lock.read_text()), known)


def report(packages: Mapping[str, str], known: Advisories) -> int:
    found = list(vulnerable(packages, known))
    for package, version, advisory in found:
        say(f"{package} {version}: {advisory.id} {advisory.summary[:150]}")
    covered = sum(package in known.by_package for package in packages)
    days = (date.today() - known.of).days  # noqa: DTZ011 - a date on a screen
    say(
        f"{len(packages)} packages, {covered} of them named by {len(known):,} advisories of {known.source}, "
        f"{known.of} ({days} days old): {len(found)} known to be vulnerable"
    )
    return 1 if found else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
