"""Weights learned from pairs rank planted preferences better than the platform's own, and those better than no look at all."""

import pytest

from services.discovery.matching.learning import learned, ndcg
from services.discovery.matching.suiting import WEIGHTS
from tools.matching_quality import HIDDEN, measured


def test_learned_weights_rank_better() -> None:
    found, weights = measured(16, with_style=False)
    assert found["by followers"] < 0.4 < found["the platform's own weights"] < found["learned weights"]
    assert found["learned weights"] <= found["the hidden weights themselves"] + 0.02
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0
    assert abs(weights["category"] - HIDDEN["category"]) < abs(WEIGHTS["category"] - HIDDEN["category"])


def test_nothing_to_learn_from_changes_nothing() -> None:
    assert learned([], WEIGHTS) == pytest.approx(dict(WEIGHTS))


def test_one_pair_moves_the_weights_a_little() -> None:
    moved = learned([({"style": 1.0}, {"style": 0.0})], WEIGHTS)
    assert WEIGHTS["style"] < moved["style"] < WEIGHTS["style"] + 0.1


def test_ndcg_is_one_for_the_best_order_and_counts_the_first_most() -> None:
    assert ndcg([3, 2, 1], [1, 2, 3], 3) == 1
    assert ndcg([2, 3, 1], [1, 2, 3], 3) > ndcg([1, 2, 3], [1, 2, 3], 3) > 0
    assert ndcg([0, 0], [0, 0], 2) == 1
