"""The rule packs as people read them: which rules hold on a day, and what begins and what ends in a span of days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.compliance.domain.packs import Pack, Rule


class Turn(StrEnum):
    """What happens on a day; the words of the wire's RuleChangeKind."""

    PACK_BEGINS = "pack_begins"
    PACK_ENDS = "pack_ends"
    RULE_BEGINS = "rule_begins"
    RULE_ENDS = "rule_ends"


@dataclass(frozen=True, slots=True)
class Change:
    """`pack` is in force on `day`, or was until then; `rule` is None where a pack begins or ends."""

    day: date
    turn: Turn
    pack: Pack
    rule: Rule | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.day.isoformat(), self.pack.id, self.turn.value, self.rule.id if self.rule else ""


def covering(packs: Sequence[Pack], jurisdiction: str) -> list[Pack]:
    """All versions for a jurisdiction or one of its aliases; "" for all jurisdictions."""
    return [pack for pack in packs if not jurisdiction or jurisdiction in pack.zones]


def today(pack: Pack, jurisdiction: str, at: datetime) -> date:
    """The date of a moment in the jurisdiction, or where the pack is from."""
    return pack.day(jurisdiction or pack.jurisdiction, at)


def rules_on(packs: Iterable[Pack], day: date | None, jurisdiction: str, at: datetime) -> Iterator[tuple[Pack, Rule]]:
    """The rules of the versions that are in force on the day; None for the date of the moment `at`, where each pack is from."""
    for pack in packs:
        on = day or today(pack, jurisdiction, at)
        if pack.holds(on):
            yield from ((pack, rule) for rule in pack.rules if rule.holds(on))


def changes(packs: Sequence[Pack]) -> Iterator[Change]:
    """Everything that begins or ends. A version that another follows on the same day does not end."""
    for name in sorted({pack.jurisdiction for pack in packs}):
        versions = sorted((one for one in packs if one.jurisdiction == name), key=lambda one: one.valid_from)
        yield from _turns_of_packs(versions)
        yield from (change for rule in versions[-1].rules for change in _turns_of_rule(rule, versions))


def _turns_of_packs(versions: Sequence[Pack]) -> Iterator[Change]:
    beginnings = {pack.valid_from for pack in versions}
    for pack in versions:
        yield Change(pack.valid_from, Turn.PACK_BEGINS, pack)
        if pack.valid_to is not None and pack.valid_to not in beginnings:
            yield Change(pack.valid_to, Turn.PACK_ENDS, pack)


def _turns_of_rule(rule: Rule, versions: Sequence[Pack]) -> Iterator[Change]:
    yield Change(rule.valid_from, Turn.RULE_BEGINS, _version_on(rule.valid_from, versions), rule)
    if rule.valid_to is not None:
        yield Change(rule.valid_to, Turn.RULE_ENDS, _version_on(rule.valid_to, versions), rule)


def _version_on(day: date, versions: Sequence[Pack]) -> Pack:
    """The version in force on the day; the first one for a law that is older than the packs."""
    return next((pack for pack in reversed(versions) if pack.valid_from <= day), versions[0])
