"""Faults: every refusal or failure a caller can meet, by kind and stable code. Transports map kinds once (rest.py, rpc.py)."""

from typing import Literal

Kind = Literal[
    "invalid",
    "unauthenticated",
    "forbidden",
    "not_found",
    "refused",
    "conflict",
    "exhausted",
    "unavailable",
    "poison",
    "internal",
]
Fact = str | int | bool | None


class Fault(Exception):
    """A typed error: `kind` says what sort, `code` (`noun.what_is_wrong`) is stable, `facts` hold the numbers and names."""

    kind: Kind = "internal"

    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code} ({details})" if details else self.code

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, self.facts)


def _rebuild(kind: type[Fault], code: str, facts: dict[str, Fact]) -> Fault:
    return kind(code, **facts)


class Invalid(Fault):
    """The input itself is wrong: a field's form, unit or range."""

    kind = "invalid"


class Unauthenticated(Fault):
    kind = "unauthenticated"


class Forbidden(Fault):
    """The actor is known and may not do this."""

    kind = "forbidden"


class NotFound(Fault):
    kind = "not_found"


class Refused(Fault):
    """The command is well formed, but the state at the head does not allow it. Not remembered: it may succeed later."""

    kind = "refused"


class Conflict(Fault):
    """An expected version does not match, or an idempotency key came back with another body."""

    kind = "conflict"


class Exhausted(Fault):
    """A limit (rate, size, count) is used up; facts may hold `retry_after_s`."""

    kind = "exhausted"


class Unavailable(Fault):
    """A dependency does not answer now; the outcome may be unknown, the same command id may be sent again."""

    kind = "unavailable"


class Poison(Fault):
    """A record that can never be handled as it stands."""

    kind = "poison"


class Internal(Fault):
    kind = "internal"


BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""A bug in one Decider concerns its caller only: it is raised there, and the rest of the batch goes on."""
