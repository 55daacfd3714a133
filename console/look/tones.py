"""Tones of states: calm goes on by itself, warn waits for somebody, good is done, bad needs a person."""

GOOD = (
    "SETTLED",
    "APPROVED",
    "VERIFIED",
    "ACCEPTED",
    "PAID",
    "CONFIRMED",
    "CLEAR",
    "RELEASED",
    "PUBLISHED",
    "FUNDED",
    "RESOLVED",
    "CREDIBLE",
)
WARN = (
    "IN_REVIEW", "REVISION_REQUESTED", "COUNTERED", "APPLIED", "INVITED", "PAUSED", "NEEDS_HUMAN", "PENDING", "REQUESTED",
    "OUTLINED", "REVIEWED", "WARNING", "PROPOSED", "MISMATCHED", "WATCH", "MISSED",
)  # fmt: skip
BAD = (
    "TAKEN_DOWN",
    "BREACHED",
    "CLAWED_BACK",
    "FAILED",
    "BLOCKED",
    "DISPUTED",
    "DROPPED",
    "REJECTED",
    "BLOCKING",
    "RETURNED",
    "FRAUD",
)
CALM = ("CONTRACTED", "LOOKING", "SCHEDULED", "OPEN", "HELD", "BEGINS")


def tone_of(name: str) -> str:
    """Class of a chip for an enum value's full name; "" for what is over or says nothing."""
    for tone, ends in (("good", GOOD), ("warn", WARN), ("bad", BAD), ("calm", CALM)):
        if any(name.endswith(f"_{end}") for end in ends):
            return tone
    return ""
