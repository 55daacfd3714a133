"""Rule packs, rules and what changes, as they look on the wire: the shipped packs are read, and no table."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as events
from dandelion.compliance.v1 import queries_pb2 as pb
from dandelion_contracts.words import number

from kernel.core.faults import Invalid
from kernel.edge.page_tokens import Cursor
from services.compliance.domain.disclosure import ANY, Label
from services.compliance.domain.findings import Content
from services.compliance.domain.packs import Pack, Rule
from services.compliance.domain.rule_book import Change, changes, covering, rules_on, today
from services.compliance.packs import Told, in_other_words

T = TypeVar("T")
Key = tuple[str, ...]
Cut = tuple[list[T], Cursor | None]
"""A page, and the cursor of the next one."""


def packs_page(packs: Sequence[Pack], request: pb.ListRulePacksRequest, at: datetime, cut: "Cutter") -> Any:
    """Versions of the jurisdiction's rules, with what is in force at a moment."""
    found = covering(packs, request.jurisdiction)
    page, after = cut(found, lambda pack: (pack.valid_from.isoformat(), pack.id))
    return [wire_pack(pack, request.jurisdiction, at) for pack in page], after


def rules_page(packs: Sequence[Pack], request: pb.ListRulesRequest, at: datetime, cut: "Cutter") -> Any:
    """Rules in force on the day that is asked for."""
    listed = rules_on(covering(packs, request.jurisdiction), _day(request, "on_day"), request.jurisdiction, at)
    found = [(pack, rule) for pack, rule in listed if _is_asked_for(pack, rule, request, at)]
    page, after = cut(found, lambda one: (one[1].id, one[0].id))
    return [wire_rule(pack, rule) for pack, rule in page], after


def _is_asked_for(pack: Pack, rule: Rule, request: pb.ListRulesRequest, at: datetime) -> bool:
    if request.rule_id not in ("", rule.id) or number(events.Severity, rule.severity) < request.severity_min:
        return False
    if not request.product_category:
        return True
    category = pack.categories.get(request.product_category.strip().lower(), "")
    return rule.applies(category, _day(request, "on_day") or today(pack, request.jurisdiction, at))


def changes_page(packs: Sequence[Pack], request: pb.ListRuleChangesRequest, cut: "Cutter") -> Any:
    """What begins and ends on the days [since, until)."""
    since, until = _day(request, "since") or date.min, _day(request, "until") or date.max
    found = [one for one in changes(covering(packs, request.jurisdiction)) if since <= one.day < until]
    page, after = cut(found, lambda one: one.key)
    return [wire_change(one) for one in page], after


class Cutter:
    """Cuts a page out of a list in memory, in the order of a key that no two items share."""

    def __init__(self, after: Cursor | None, size: int, falling: bool) -> None:
        self._after, self._size, self._falling = after, size, falling

    def __call__(self, items: Iterable[T], key: Callable[[T], Key]) -> Cut[T]:
        left = sorted(items, key=key, reverse=self._falling)
        if self._after is not None:
            last = tuple(map(str, self._after))
            left = [one for one in left if (key(one) < last if self._falling else key(one) > last)]
        page = left[: self._size]
        return page, key(page[-1]) if len(left) > self._size else None


def _day(request: Any, field: str) -> date | None:
    """Raises Invalid `day.malformed`; None for an empty field."""
    text = getattr(request, field)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("day.malformed", field=field, value=text[:40], expected="YYYY-MM-DD") from None


def wire_pack(pack: Pack, jurisdiction: str, at: datetime) -> pb.RulePack:
    now = today(pack, jurisdiction, at)
    on = now if pack.holds(now) else pack.valid_from
    named: dict[str, list[str]] = {}
    for alias, category in pack.categories.items():
        named.setdefault(category, []).append(alias)
    return pb.RulePack(
        rule_pack=pack.id, jurisdiction=pack.jurisdiction, aliases=[one for one in pack.zones if one != pack.jurisdiction],
        timezone=str(pack.zones[pack.jurisdiction]), valid_from=pack.valid_from.isoformat(), valid_to=_end(pack.valid_to),
        in_force=pack.holds(now), rules=sum(rule.holds(on) for rule in pack.rules),
        labels=map(_label, pack.labels.attach), accepted=pack.labels.accepted, weak=pack.labels.weak,
        categories=[pb.RuleCategory(category=word, aliases=aliases) for word, aliases in sorted(named.items())],
    )  # fmt: skip


def _end(day: date | None) -> str:
    return day.isoformat() if day else ""


def _label(label: Label) -> pb.AttachedLabel:
    return pb.AttachedLabel(
        language=label.language,
        platform=number(common.Platform, label.platform if label.platform != ANY else ""),
        format=number(common.Format, label.format if label.format != ANY else ""),
        label=label.label,
        placement=number(common.LabelPlacement, label.placement),
    )


def wire_rule(pack: Pack, rule: Rule, examples: bool = True) -> pb.Rule:
    return pb.Rule(
        rule_id=rule.id, jurisdiction=rule.jurisdiction, rule_pack=pack.id,
        severity=number(events.Severity, rule.severity), valid_from=rule.valid_from.isoformat(),
        valid_to=_end(rule.valid_to), categories=sorted(rule.categories),
        except_categories=sorted(rule.except_categories), needs_category=rule.needs_category,
        adverts_only=rule.adverts_only, texts=_texts(rule),
        fires=map(_example, rule.fires if examples else ()), silent=map(_example, rule.silent if examples else ()),
    )  # fmt: skip


def _texts(rule: Rule) -> list[pb.RuleText]:
    """In the language of the law first."""
    own = Told(rule.language, rule.law, rule.article, rule.why, rule.fix)
    return [
        pb.RuleText(language=one.language, law=one.law, article=one.article, reason=one.why, suggestion=one.fix)
        for one in (own, *in_other_words().get(rule.id, ()))
    ]


def _example(content: Content) -> pb.RuleExample:
    return pb.RuleExample(
        title=content.title, text=content.text, tags=content.tags, links=content.links,
        compensation=content.compensation, evidence=[one.kind for one in content.evidence],
    )  # fmt: skip


def wire_change(change: Change) -> pb.RuleChange:
    return pb.RuleChange(
        day=change.day.isoformat(),
        kind=number(pb.RuleChangeKind, change.turn),
        jurisdiction=change.pack.jurisdiction,
        rule_pack=change.pack.id,
        rule=wire_rule(change.pack, change.rule, examples=False) if change.rule else None,
    )
