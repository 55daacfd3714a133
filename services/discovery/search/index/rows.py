"""Rows of an index from columns as a read model has them: labels and texts become numbers here."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns.bits import Docs
from services.discovery.search.index.columns.letters import Alphabet
from services.discovery.search.index.filters import Vocabulary, Words
from services.discovery.search.index.segment import Ids, Rows

Known = tuple[Docs, NDArray[np.float64]]


def words(columns: Iterable[str]) -> Words:
    """An index's letters and labels before its first row."""
    return Words(Alphabet(), {name: Vocabulary({}, []) for name in columns})


def rows_of(
    known: Words,
    ids: Ids,
    numbers: Mapping[str, Known],
    labels: Mapping[str, tuple[Docs, Sequence[str]]],
    texts: Sequence[str],
) -> Rows:
    """`numbers` by column as rows (ascending) and values, `labels` as pairs, `texts` normalised, all of a row together."""
    coded = {name: (docs, _coded(known.vocabularies[name], held)) for name, (docs, held) in labels.items()}
    codes = known.alphabet.codes("\0".join((*texts, "")))
    ends = np.cumsum(np.fromiter((0, *(len(text) + 1 for text in texts)), np.int64, len(texts) + 1))
    return Rows(ids, numbers, coded, codes, ends)


def _coded(vocabulary: Vocabulary, labels: Sequence[str]) -> NDArray[np.int32]:
    learn = vocabulary.learn
    return np.fromiter(map(learn, labels), np.int32, len(labels))
