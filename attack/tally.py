"""What was tried, and what held."""

from dataclasses import dataclass, field

from rich.table import Table

HOLES_SHOWN = 20


@dataclass(slots=True)
class Tally:
    """One attack: `tried` tries, of which each that did not hold is a hole, told in a line."""

    name: str
    tried: int = 0
    holes: list[str] = field(default_factory=list)
    found: int = 0

    def check(self, held: bool, what: str) -> None:
        """Counts a try; `what` says what happened where it did not hold."""
        self.tried += 1
        if not held:
            self.found += 1
            if len(self.holes) < HOLES_SHOWN:
                self.holes.append(what[:300])


def table_of(tallies: list[Tally]) -> Table:
    table = Table("attack", "tried", "held", "holes", box=None, pad_edge=False)
    for one in tallies:
        table.add_row(one.name, f"{one.tried:,}", f"{one.tried - one.found:,}", str(one.found) if one.found else "-")
    return table
