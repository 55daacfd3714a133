"""The model's card: what it was trained on, what it can do, what it cannot. Written by `train`, read by people."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from services.discovery.authenticity import scorecard
from services.discovery.authenticity.columns import COLUMNS, DERIVED, Floats, Profiles
from services.discovery.authenticity.scorecard import Model
from services.discovery.authenticity.traits import FITTED_ON, FIXED, TRAITS
from tools.authenticity import measuring
from tools.authenticity.accounts import TRAINING
from tools.authenticity.fit import PRECISION, STRETCH
from tools.authenticity.measuring import Figure

HOME = Path(scorecard.__file__).parent
MODEL, CARD = HOME / scorecard.FILE, HOME / "CARD.md"
TRAINED_ON = "2026-12-01"
LIMITS = """\
* 98 fakes are few, and all of them follow influencers of one country on one platform in 2017. Published models of this kind
  had F1 0.83 on accounts of their own set and 0.69 on another's: expect less elsewhere than the first line says, and look at
  a few accounts by hand.
* Nobody's name is in the data, so folds are by account and not by author. The halves stand in for another place.
* No column for texts and links was there: the weights of `no_bio`, `has_bio` and `has_link` are judgement, never fitted.
* In a file of 100 and more accounts the share of fakes is estimated from the file; with fewer it is that of the training
  accounts. Give `--share` where it is known. Fitted on a half without the other's kind of account, chances are off by up to
  an eighth: on a new platform compare the estimated share with a sample labelled by hand before anything hangs on it.
* A score is a chance and no verdict: fakes that post, follow few and show a picture are not found by a profile. A creator is
  judged by a share with an interval, and never by this signal alone."""


def figures(profiles: Profiles, fake: Floats) -> list[tuple[str, list[Figure]]]:
    """The card's tables."""
    return [
        ("Accounts of the same place", [measuring.in_domain(profiles, fake), *measuring.at_shares(profiles, fake)]),
        ("Accounts of another place", [*measuring.across_groups(profiles, fake), *measuring.at_scales(profiles, fake)]),
        ("Columns that a file lacks", list(measuring.with_less(profiles, fake))),
    ]


def written(made: Model) -> str:
    """The model as JSON; weights to four digits, so that a processor's last bit makes no other file."""
    cards: list[dict[str, Any]] = [
        {
            "columns": [name for name in FITTED_ON if name in columns],
            "base": round(card.base, 4),
            "weights": {name: round(weight, 4) for name, weight in card.weights.items()},
        }
        for columns, card in made.cards.items()
    ]
    told = {"name": made.name, "trained": round(made.trained, 4), "calibration_error": round(made.calibration_error, 4)}
    return json.dumps({**told, "cards": cards}, indent=1) + "\n"


def card(made: Model, tables: Sequence[tuple[str, list[Figure]]]) -> str:
    """The card as Markdown."""
    lines = ["# Card of the scorecard of fake accounts", "", *_trained(made)]
    for title, rows in tables:
        lines += ["", f"## {title}", "", *table(rows)]
    lines += ["", "## Columns", "", "| column | holds |", "| --- | --- |"]
    lines += [f"| `{name}` | {told} |" for name, told in (COLUMNS | DERIVED).items()]
    return "\n".join([*lines, "", "## Weights", "", *_weights(made), "", "## Limits", "", LIMITS, ""])


def _trained(made: Model) -> list[str]:
    data, seeds = hashlib.sha256(TRAINING.read_bytes()).hexdigest(), ", ".join(map(str, measuring.SEEDS))
    return [
        "`python -m tools.authenticity train` fits the model, measures it and writes this file. Rule AUC is that of five",
        "points on the same accounts: follows more than three times its followers, no post, no picture, no bio, 3+ digits.",
        "",
        "| | |",
        "| --- | --- |",
        f"| model | `{made.name}`: logistic regression over {len(TRAITS)} traits that can only speak against an account |",
        f"| priors | of precision {PRECISION:g} around the weights below |",
        f"| stretched | by {STRETCH:g}, since priors shrink weights |",
        f"| cards | {len(made.cards)}, one for each set of known columns |",
        f"| data | `tools/authenticity/data/srf_followers.csv`, SHA-256 `{data}` |",
        "| licence | CC BY-SA 4.0 (NOTICE.md beside the data) |",
        f"| split | {measuring.FOLDS} folds by account, each with its part of the fakes, seeds {seeds} |",
        f"| trained | {TRAINED_ON}, {made.trained:.1%} of the accounts fake |",
    ]


def _weights(made: Model) -> list[str]:
    whole = made.cards[frozenset(FITTED_ON)].weights
    return [
        "Log odds, where all columns are known.",
        "",
        "| trait | | prior | weight |",
        "| --- | --- | ---: | ---: |",
        *[f"| `{one.name}` | {one.told} | {one.prior:g} | {whole[one.name]:.2f} |" for one in TRAITS],
        *[f"| `{one.name}` | {one.told} | {one.prior:g} | not fitted |" for one in FIXED],
    ]


def table(rows: Iterable[Figure]) -> list[str]:
    head = ["| accounts | how many | fakes | AUC | ECE | rule AUC |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    return head + [
        f"| {one.told} | {one.accounts} | {one.fakes} | {one.auc:.3f} | {one.ece:.3f} | {one.rule_auc:.3f} |"
        for one in rows
    ]
