"""Every route and every RPC without a token, and as somebody of another organisation about ids that are nobody's."""

import re
from collections.abc import Callable
from uuid import uuid4

from attack.rpc import asked, methods
from attack.tally import Tally
from attack.target import Target, operations

OPEN = {
    "/l/{code}", "/kits/{token}", "/kits/{token}/pdf", "/healthz/live", "/healthz/ready", "/metrics",
    "/webhooks/psp", "/formulas",
}  # fmt: skip
"""For everybody; the webhook is signed instead."""
ROLES = ("brand", "creator", "agency")


def filled(path: str) -> str:
    """The path with ids of nothing."""
    return re.sub(r"{\w+}", lambda _: str(uuid4()), path)


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    say("routes")
    for service, method, path, _ in operations(target):
        if path in OPEN or method not in ("GET", "PUT", "POST", "DELETE", "PATCH"):
            continue
        where = filled(path)
        nobody = target.send(service, method, where, json={})
        tally.check(nobody.status_code == 401, f"{method} {path} without a token: {nobody.status_code}")
        for role in ROLES[:scale]:
            theirs = target.send(service, method, where, target.token(role), json={})
            tally.check(theirs.status_code < 500, f"{method} {path} as {role}: {theirs.status_code} {theirs.text}")
    say("RPCs")
    for service, method in methods():
        code = asked(target, service, method, b"", "")
        tally.check(code == "UNAUTHENTICATED", f"{method.name} without a token: {code}")
