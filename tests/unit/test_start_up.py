"""What a process imports at its start, which is most of what starting it costs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from kernel.host.migrate import head_revision
from tools.speed import patience

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("campaigns", "compliance", "discovery", "ledger", "metrics")
OF_ONE_ROLE = ("alembic", "fastapi", "starlette", "grpc", "faust", "jwt")


def imported(modules: str, names: Sequence[str]) -> list[str]:
    """Which of the names a process has loaded that imports the modules."""
    code = f"import sys, {modules}; print(*[name for name in {tuple(names)} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}"},
        capture_output=True, text=True, check=True, timeout=patience(60),
    )  # fmt: skip
    return done.stdout.split()


def test_what_one_role_needs_is_not_imported_by_the_others() -> None:
    wirings = ", ".join(f"services.{service}.wiring" for service in SERVICES)
    assert imported(f"kernel.host.main, {wirings}", OF_ONE_ROLE) == []


def test_the_embedded_platform_loads_no_client_of_kafka() -> None:
    assert imported("cli.embedded, services.metrics.stream", ("faust", "aiokafka")) == []


def test_the_story_loads_no_client_that_it_does_not_use() -> None:
    assert imported("cli.commands.demo", ("aiokafka", "asyncpg", "httpx", "sqlalchemy", "uvicorn")) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_head_revision_read_from_the_files_is_alembics(service: str) -> None:
    migrations = ROOT / "services" / service / "migrations"
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    assert head_revision(migrations) == ScriptDirectory.from_config(config).get_current_head()


def test_the_head_of_a_chain_is_the_one_nothing_goes_down_to(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_first.py").write_text('revision = "0001"\ndown_revision = None\n')
    (tmp_path / "versions" / "0002_next.py").write_text('revision = "0002"\ndown_revision = "0001"\n')
    assert head_revision(tmp_path) == "0002"
