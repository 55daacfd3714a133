"""The command line of a service: what it may be told, and that a rebuild leaves a new generation live."""

import json
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.core.faults import Invalid
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import open_app, run_migrations
from kernel.host.main import main, run_rebuild
from kernel.processors.generations import live_generation
from services.compliance.wiring import SERVICE
from tests.kit.running import settings_in


@pytest.mark.parametrize("words", [[], ["serve"], ["rest", "migrate", "x"]])
def test_other_words_are_refused_with_the_usage(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["compliance", *words])
    with pytest.raises(SystemExit) as stopped:
        main(SERVICE, SERVICE.settings)
    assert stopped.value.code == 2
    assert "usage: dandelion service compliance migrate | rebuild" in capsys.readouterr().err


async def test_a_rebuild_makes_the_next_generation_live(tmp_path: Path) -> None:
    Issuer.at(tmp_path / "issuer", "x", "y")
    settings = settings_in(tmp_path, SERVICE.settings)
    await run_migrations(SERVICE, settings)
    await run_rebuild(SERVICE, settings, ["reviews"])
    app = open_app(SERVICE, settings)
    try:
        assert await live_generation(app.database, SERVICE.projections[0]) == 2
        async with app.database.reading() as connection:
            shown = (await connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'view'"))).scalars()
            rebuilt = [sql for sql in shown if "erasures" not in sql and "looks" not in sql]
            assert rebuilt
            assert all("_g2" in sql for sql in rebuilt)
    finally:
        await app.close()
        await app.bus.close()


async def test_an_unknown_read_model_is_named(tmp_path: Path) -> None:
    Issuer.at(tmp_path / "issuer", "x", "y")
    with pytest.raises(Invalid) as refused:
        await run_rebuild(SERVICE, settings_in(tmp_path, SERVICE.settings), ["nothing"])
    assert "nothing" in json.dumps(refused.value.facts)
