"""The kinds of rules; packs name them and give their parameters. One pure rule a file."""

from collections.abc import Callable, Mapping
from typing import Any

from services.compliance.domain.rules import (
    ai_mark,
    buried_label,
    category_gate,
    lexicon,
    missing_label,
    product_used,
    required_notice,
    together,
    weak_label,
)
from services.compliance.domain.rules.case import Check, Lists

KINDS: Mapping[str, Callable[[Mapping[str, Any], Lists], Check]] = {
    "ai_mark": ai_mark.check,
    "buried_label": buried_label.check,
    "category_gate": category_gate.check,
    "lexicon": lexicon.check,
    "missing_label": missing_label.check,
    "product_used": product_used.check,
    "required_notice": required_notice.check,
    "together": together.check,
    "weak_label": weak_label.check,
}
