"""The README names every column of the file and every public event, as they are."""

from pathlib import Path

from dandelion_contracts.events import EVENTS

from services.discovery.domain.csv_columns import COLUMNS

README = (Path(__file__).parents[3] / "services" / "discovery" / "README.md").read_text()


def test_every_column_is_documented() -> None:
    for name, column in COLUMNS.items():
        assert f"| `{name}`{' *' if column.required else ''} | {column.doc} |" in README


def test_every_public_event_is_named() -> None:
    emitted = README.partition("| emits |")[2].partition("\n")[0]
    for kind in EVENTS:
        if kind.startswith("dandelion.discovery."):
            assert kind.rpartition(".")[2] in emitted
