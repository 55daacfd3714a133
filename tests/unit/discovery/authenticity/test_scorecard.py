"""The scorecard of fake accounts: what its card says, on files of other shapes, shares and platforms."""

import numpy as np
import pytest

from kernel.core.faults import Invalid
from services.discovery.authenticity.base_rate import estimated_share, interval
from services.discovery.authenticity.columns import Profiles, profiles_of
from services.discovery.authenticity.rule import points
from services.discovery.authenticity.scorecard import model, reasons, score
from tools.authenticity import accounts, card, measuring
from tools.authenticity.figures import auc, ece
from tools.authenticity.fit import fit

PROFILES, FAKE = accounts.training()
BOT: dict[str, object] = {
    "followers": 3,
    "following": 2_000,
    "posts": 0,
    "has_picture": 0,
    "has_bio": 0,
    "username": "x83746152",
}
PERSON: dict[str, object] = {
    "followers": 410,
    "following": 380,
    "posts": 240,
    "has_picture": 1,
    "has_bio": 1,
    "username": "anna.bakes",
}


def test_the_shipped_model_is_what_training_makes() -> None:
    made = fit(PROFILES, FAKE, measuring.in_domain(PROFILES, FAKE).ece)
    assert card.written(made) == card.MODEL.read_text()


def test_the_card_says_what_is_measured() -> None:
    written = card.CARD.read_text()
    for _, rows in card.figures(PROFILES, FAKE):
        for line in card.table(rows):
            assert line in written


def test_held_out_accounts_are_told_apart_and_the_chances_are_true() -> None:
    figure = measuring.in_domain(PROFILES, FAKE)
    assert figure.auc >= 0.945
    assert figure.ece <= 0.02
    assert figure.auc > figure.rule_auc


@pytest.mark.parametrize("figure", list(measuring.at_shares(PROFILES, FAKE)), ids=lambda one: one.told)
def test_another_share_of_fakes_keeps_the_chances_true(figure: measuring.Figure) -> None:
    assert figure.ece <= 0.05


@pytest.mark.parametrize("figure", list(measuring.at_scales(PROFILES, FAKE)), ids=lambda one: one.told)
def test_another_scale_of_counts_keeps_order_and_chances(figure: measuring.Figure) -> None:
    assert figure.auc >= 0.94
    assert figure.ece <= 0.03


def test_the_share_does_not_run_away_where_scores_tell_nothing() -> None:
    """Odds of one lump above the training accounts' mean: no evidence of fakes, and no reason to accuse everybody."""
    lump = np.random.default_rng(5).normal(-0.5, 0.3, 500)
    assert estimated_share(lump, model().trained) <= 0.2


def test_the_share_of_few_accounts_is_that_of_the_training() -> None:
    assert score(profiles_of([BOT] * 20)).share == model().trained


@pytest.mark.parametrize("column", ["followers", "following", "posts", "has_picture", "has_bio", "username"])
def test_an_unknown_column_is_neither_for_nor_against(column: str) -> None:
    rows = [{name: "" if name == column else value for name, value in row.items()} for row in (BOT, PERSON)]
    bot, person = score(profiles_of(rows), 0.1).chances
    assert bot > 0.5 > person


def test_nothing_known_is_the_share_itself() -> None:
    assert score(profiles_of([{"posts": ""}]), 0.1).chances[0] == pytest.approx(0.1, abs=0.01)


def test_rows_that_know_different_columns_are_scored_like_alone() -> None:
    rows: list[dict[str, object]] = [BOT, PERSON, {"followers": 5, "following": 900}, {"posts": 0, "has_picture": 0}]
    together = score(profiles_of(rows), 0.1).chances
    assert together == pytest.approx([score(profiles_of([row]), 0.1).chances[0] for row in rows])


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"has_picture": 1}, {"has_picture": 0}),
        ({"posts": 40}, {"posts": 0}),
        ({"followers": 500}, {"followers": 5}),
        ({"following": 100}, {"following": 5_000}),
        ({"has_bio": 1}, {"has_bio": 0}),
        ({"has_link": 1}, {"has_link": 0}),
        ({"username": "annabakes"}, {"username": "anna98127"}),
    ],
)
def test_a_trait_speaks_in_one_direction_only(less: dict[str, object], more: dict[str, object]) -> None:
    low, high = score(profiles_of([PERSON | less, PERSON | more]), 0.1).chances
    assert high > low


def test_reasons_add_up_to_the_odds() -> None:
    profiles = profiles_of([BOT])
    told = reasons(profiles, 0)
    assert {"no_bio", "chases_100x"} <= {trait.name for trait, _ in told}
    assert [abs(moved) for _, moved in told] == sorted((abs(moved) for _, moved in told), reverse=True)


def test_the_rule_counts_what_is_known() -> None:
    assert list(points(profiles_of([BOT, PERSON, {"followers": 1}]))) == [5, 0, 0]


def test_names_give_the_same_as_counts() -> None:
    by_name = profiles_of([{"username": "@anna98127", "bio": "hi"}])
    by_count = profiles_of([{"username_length": 9, "username_digits": 5, "bio_length": 2}])
    by_share = profiles_of([{"username_length": 9, "username_digit_share": 5 / 9, "has_bio": "yes"}])
    for other in (by_count, by_share):
        assert {name: column[0] for name, column in other.values.items()} == pytest.approx(
            {name: column[0] for name, column in by_name.values.items()}
        )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "profiles.empty"),
        ([{"height": 3}], "profiles.no_known_column"),
        ([{"posts": "many"}], "profiles.number_malformed"),
        ([{"posts": -1}], "profiles.number_out_of_range"),
        ([{"has_bio": 2}], "profiles.number_out_of_range"),
        ([{"followers": "nan"}], "profiles.number_out_of_range"),
    ],
)
def test_a_malformed_file_is_refused_by_line_and_column(rows: list[dict[str, object]], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        profiles_of(rows)
    assert refused.value.code == code


def test_the_interval_holds_the_share_that_was_planted() -> None:
    bots, people = accounts.part(PROFILES, FAKE == 1), accounts.part(PROFILES, FAKE == 0)
    held = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        rows = np.concatenate([draw.integers(0, bots.rows, 60), bots.rows + draw.integers(0, people.rows, 240)])
        both = {name: np.concatenate([bots.values[name], people.values[name]])[rows] for name in bots.values}
        among = interval(score(Profiles(both, 300)).chances, model().calibration_error)
        held += among.low <= 0.2 <= among.high
    assert held >= 18


def test_figures_are_those_of_their_definition() -> None:
    fake = np.array([0.0, 0.0, 1.0, 1.0])
    assert auc(fake, np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
    assert auc(fake, np.ones(4)) == 0.5
    assert ece(fake, np.array([0.0, 0.0, 1.0, 1.0])) == 0.0
    assert ece(fake, np.array([1.0, 1.0, 0.0, 0.0])) == 1.0
