"""`python -m attack [--data .data] [--scale 10]`: attacks the platform that `make up` runs from the folder; 1 where it gave way.

Everything it does is bounded, goes to this machine's loopback address only, and leaves what strangers may leave behind: new
things of organisations that nobody has heard of. It is for platforms that hold nobody's data.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from attack.run import ATTACKS, attacked
from attack.tally import table_of
from attack.target import target_in
from cli.commands.verify import verify
from cli.layout import NoPlatform
from kernel.core.faults import Fault

LARGEST = 1_000


def main() -> int:
    given = _given()
    try:
        target = target_in(given.data)
    except (NoPlatform, Fault) as missing:
        say(getattr(missing, "strerror", "") or str(missing))
        return 2
    try:
        tallies = attacked(target, given.scale, say, frozenset(given.only or ()))
    finally:
        target.close()
    Console().print(table_of(tallies))
    for tally in tallies:
        for hole in tally.holes:
            say(f"HOLE in {tally.name}: {hole}")
    broken = verify(argparse.Namespace(data=given.data, deep=False)) if given.verify else 0
    return 1 if broken or any(tally.found for tally in tallies) else 0


def _given() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="make attack", description=__doc__)
    made.add_argument("--data", type=Path, default=Path(".data"))
    made.add_argument(
        "--scale", type=int, default=10, choices=range(1, LARGEST), metavar="N", help="1 is what the tests do"
    )
    made.add_argument("--only", action="append", choices=[*ATTACKS], help="this attack; may be repeated")
    made.add_argument("--no-verify", dest="verify", action="store_false", help="leave the invariants alone afterwards")
    return made.parse_args()


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
