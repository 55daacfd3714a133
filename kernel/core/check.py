"""Check and CheckResult: how an invariant is counted while it is checked, and what came of it. No I/O."""

from dataclasses import dataclass, field

PROBLEMS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one invariant: how many things were checked, and the first 20 problems found."""

    invariant: str
    checked: int
    problems: list[str]
    service: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class Check:
    """An invariant being checked. `problems` keeps the first 20 failures as text, `failures` counts all of them."""

    invariant: str
    checked: int = 0
    failures: int = 0
    problems: list[str] = field(default_factory=list)

    def that(self, ok: bool, problem: str) -> None:
        """Checks one thing: counts it, and fails with `problem` unless it is `ok`."""
        self.checked += 1
        if not ok:
            self.fail(problem)

    def fail(self, problem: str) -> None:
        """Adds a failure without counting another thing checked: for what is missing, or was found by a query."""
        self.failures += 1
        if len(self.problems) < PROBLEMS_LIMIT:
            self.problems.append(problem[:500])

    def result(self) -> CheckResult:
        return CheckResult(self.invariant, self.checked, self.problems)
