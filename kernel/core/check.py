"""What a check of an invariant found: words that the kernel's checks and the services' own share. No I/O."""

from dataclasses import dataclass, field

PROBLEMS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One invariant: how many things were looked at, and what is wrong with the first 20 of those that are broken."""

    invariant: str
    looked_at: int
    problems: list[str]
    service: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class Check:
    """An invariant while it is looked at; `broken` counts what `problems` has no room for."""

    invariant: str
    looked_at: int = 0
    broken: int = 0
    problems: list[str] = field(default_factory=list)

    def at(self, sound: bool, problem: str) -> None:
        """Looks at one thing."""
        self.looked_at += 1
        if not sound:
            self.wrong(problem)

    def wrong(self, problem: str) -> None:
        self.broken += 1
        if len(self.problems) < PROBLEMS_LIMIT:
            self.problems.append(problem[:500])

    def done(self) -> CheckResult:
        return CheckResult(self.invariant, self.looked_at, self.problems)
