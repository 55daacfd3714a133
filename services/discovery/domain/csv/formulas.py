"""Texts that a spreadsheet would take for formulas."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a formula begins with."""


def harmless(text: str) -> str:
    """With an apostrophe before what would be a formula; an import takes the apostrophe off again."""
    return f"'{text}" if text.startswith(FORMULA) else text
