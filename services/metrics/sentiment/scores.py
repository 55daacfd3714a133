"""Texts in, sentiment out: the language by its script, then the model of that language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.metrics.sentiment.models import CLASSES, NEGATIVE, NEUTRAL, POSITIVE, models

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
KANA = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
LATIN = re.compile(r"[A-Za-z]")
LABELS = {NEGATIVE: "negative", NEUTRAL: "neutral", POSITIVE: "positive"}


@dataclass(frozen=True, slots=True)
class Score:
    """Probabilities, together 1; `language` is "" for a text that no model reads, whose figures are 0."""

    language: str
    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> str:
        """The most likely; "" without a language."""
        told = (self.negative, self.neutral, self.positive)
        return LABELS[int(np.argmax(told))] if self.language else ""


def language_of(text: str) -> str:
    """ "zh" for Chinese, "en" for Latin letters, "" for Japanese, Korean and what has no letters."""
    if KANA.search(text):
        return ""
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    if 2 * han >= latin and han:
        return "zh"
    return "en" if latin else ""


def scored(texts: Sequence[str]) -> list[Score]:
    """One for each text, in order."""
    languages = [language_of(one) for one in texts]
    found = np.zeros((len(texts), CLASSES), np.float32)
    for language, model in models().items():
        places = [at for at, one in enumerate(languages) if one == language]
        if places:
            found[places] = model.of([texts[at] for at in places], language)
    return [
        Score(language, *(float(one) for one in row)) for language, row in zip(languages, found.tolist(), strict=True)
    ]
