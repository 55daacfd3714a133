"""The model of fake accounts.

python -m tools.authenticity train          fit it, measure it, write model and card
python -m tools.authenticity card           the card's figures, measured again
python -m tools.authenticity score FILE     the chance of each account of a CSV file, and the share of fakes
python -m tools.authenticity bench          how long a profile takes
python -m tools.authenticity planted        which planted frauds the judgement of creators finds, and whom it accuses wrongly
"""

import argparse
import csv
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from kernel.core.faults import Fault
from services.discovery.authenticity.base_rate import interval
from services.discovery.authenticity.columns import profiles_of
from services.discovery.authenticity.rule import points
from services.discovery.authenticity.scorecard import model, reasons, score
from tools.authenticity import accounts, card
from tools.authenticity.figures import auc, ece
from tools.authenticity.fit import fit

BATCH, RUNS = 10_000, 5


def train() -> None:
    """Writes model.json and CARD.md."""
    profiles, fake = accounts.training()
    tables = card.figures(profiles, fake)
    made = fit(profiles, fake, tables[0][1][0].ece)
    card.MODEL.write_text(card.written(made), encoding="utf-8")
    card.CARD.write_text(card.card(made, tables), encoding="utf-8")
    print(f"{card.MODEL.name} and {card.CARD.name} are written")


def show() -> None:
    profiles, fake = accounts.training()
    for title, rows in card.figures(profiles, fake):
        print(title, *card.table(rows), "", sep="\n")


def score_file(path: Path, names: dict[str, str], share: float | None) -> None:
    """Each row with chance, rule and reasons; then the share of fakes, and AUC and ECE where the file has labels."""
    rows = accounts.read(path, accounts.SAME | names)
    profiles = profiles_of(rows)
    found, ruled = score(profiles, share), points(profiles)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("row", "fake", "rule_points", "reasons"))
    for row, chance in enumerate(found.chances):
        told = "; ".join(trait.told for trait, moved in reasons(profiles, row) if moved > 0)
        out.writerow((row + 1, f"{chance:.4f}", int(ruled[row]), told))
    among = interval(found.chances, model().calibration_error)
    print(
        f"{profiles.rows} accounts by {model().name}: {among.share:.1%} fake, {among.low:.1%} to {among.high:.1%}",
        file=sys.stderr,
    )
    if accounts.LABEL in rows[0]:
        _, fake = accounts.labelled(rows)
        areas = f"AUC {auc(fake, found.log_odds):.3f}, of the rule {auc(fake, ruled):.3f}"
        print(f"{areas}; ECE {ece(fake, found.chances):.3f}", file=sys.stderr)


def bench() -> None:
    """The best of some runs over a batch: milliseconds a profile."""
    profiles, _ = accounts.training()
    many = accounts.part(profiles, np.arange(BATCH) % profiles.rows)
    taken = []
    for _ in range(RUNS):
        began = perf_counter()
        score(many)
        taken.append(perf_counter() - began)
    print(f"{BATCH} profiles in a batch: {min(taken) / BATCH * 1000:.5f} ms a profile")


def main() -> None:
    asked = _parser().parse_args()
    try:
        match asked.what:
            case "train":
                train()
            case "card":
                show()
            case "score":
                score_file(asked.file, dict(one.split("=", 1) for one in asked.columns), asked.share)
            case "bench":
                bench()
            case "planted":
                from tools.authenticity.planted import main as plant

                plant()
    except Fault as fault:
        sys.exit(f"{fault.code}: {dict(fault.facts)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.authenticity", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=("train", "card", "score", "bench", "planted"))
    parser.add_argument("file", nargs="?", type=Path, help="CSV in UTF-8 with a header; columns as in the card")
    parser.add_argument("--columns", nargs="*", default=[], metavar="THEIRS=OURS", help="names of columns in the file")
    parser.add_argument("--share", type=float, help="share of fakes there, 0..1; else it is estimated from the file")
    return parser


if __name__ == "__main__":
    main()
