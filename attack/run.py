"""All attacks in turn, then the platform's health: what was tried and what held."""

from collections.abc import Callable, Mapping

from attack import bodies, files, floods, messages, redirects, strangers, texts, tokens
from attack.tally import Tally
from attack.target import Gone, Target
from cli.layout import SERVICES

Attack = Callable[[Target, Tally, int, Callable[[str], None]], None]
ATTACKS: Mapping[str, Attack] = {
    "tokens": tokens.attack, "strangers": strangers.attack, "bodies": bodies.attack, "protobuf": messages.attack,
    "files": files.attack, "texts": texts.attack, "redirects": redirects.attack, "floods": floods.attack,
}  # fmt: skip


def attacked(target: Target, scale: int, say: Callable[[str], None], only: frozenset[str] = frozenset()) -> list[Tally]:
    """A tally of each attack. A platform that answers no more ends the attack, and is a hole of the attack that ended it."""
    tallies = []
    for name, attack in ATTACKS.items():
        if only and name not in only:
            continue
        tally = Tally(name)
        tallies.append(tally)
        say(f"{name} ...")
        try:
            attack(target, tally, scale, _prefixed(say, name))
        except Gone as gone:
            tally.check(False, str(gone))
            return tallies
    tallies.append(_health(target))
    return tallies


def _prefixed(say: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda what: say(f"{name}: {what}")


def _health(target: Target) -> Tally:
    """Every service is ready when all is over."""
    tally = Tally("ready afterwards")
    for service in SERVICES:
        answer = target.send(service, "GET", "/healthz/ready")
        tally.check(answer.status_code == 200, f"{service} is not ready: {answer.text}")
    return tally
