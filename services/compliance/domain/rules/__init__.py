"""The kinds of rules; packs name them and give their parameters. One pure rule a file."""

from collections.abc import Callable, Mapping
from typing import Any

from services.compliance.domain.rules import (
    ai_mark,
    category_gate,
    health_claim,
    lexicon,
    product_used,
    required_notice,
    superlative_noun,
    together,
)
from services.compliance.domain.rules.case import Check, Lists
from services.compliance.domain.rules.label import buried, missing, weak

KINDS: Mapping[str, Callable[[Mapping[str, Any], Lists], Check]] = {
    "ai_mark": ai_mark.check,
    "buried_label": buried.check,
    "category_gate": category_gate.check,
    "health_claim": health_claim.check,
    "lexicon": lexicon.check,
    "missing_label": missing.check,
    "product_used": product_used.check,
    "required_notice": required_notice.check,
    "superlative_noun": superlative_noun.check,
    "together": together.check,
    "weak_label": weak.check,
}
