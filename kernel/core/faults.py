"""Faults: every refusal or failure that a caller can meet, with a kind and a stable code.

The edge maps each kind to a status once (kernel/edge/http_errors.py, kernel/edge/grpc_errors.py).
"""

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
    "pending",
    "poison",
    "internal",
]
Fact = str | int | bool | None

WAITING: frozenset[Kind] = frozenset({"unavailable", "exhausted"})
"""Kinds of transient fault: a consumer waits and tries again, and parks nothing."""


class Fault(Exception):
    """A typed error. `kind` decides the status, `code` (`noun.what_is_wrong`) is stable, `facts` hold its numbers and names."""

    kind: Kind = "internal"
    decided = False
    """True once a Decider has raised it: it is the answer to this one command, and no sign that others have to wait."""

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
    """The input itself is wrong: form, unit or range of a field."""

    kind = "invalid"


class Unauthenticated(Fault):
    """The caller is unknown: the access token is missing, wrong or expired."""

    kind = "unauthenticated"


class Forbidden(Fault):
    """The actor is known and lacks the right."""

    kind = "forbidden"


class NotFound(Fault):
    """No such thing, or none that this caller may see."""

    kind = "not_found"


class Refused(Fault):
    """The command is well formed, and the state at the head does not allow it. The refusal is not stored: a retry may succeed."""

    kind = "refused"


class Conflict(Fault):
    """The expected version differs from the stream's, or the idempotency key was used before with another body."""

    kind = "conflict"


class Exhausted(Fault):
    """A limit (rate, size, count) is used up; facts may hold `retry_after_s`."""

    kind = "exhausted"


class Unavailable(Fault):
    """A dependency does not answer now. The outcome may be unknown; sending the same command id again is safe."""

    kind = "unavailable"


class Pending(Fault):
    """Accepted, and not there yet: a command that leads to the thing was accepted. Asking again in a moment finds the thing."""

    kind = "pending"


class Poison(Fault):
    """A record that no retry can handle: it does not decode, or breaks a rule."""

    kind = "poison"


class Internal(Fault):
    """A mistake of ours: configuration, data or code."""

    kind = "internal"


BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""Exceptions of a bug in a Decider. They are raised to the caller of that command; the other commands of the batch go on."""
