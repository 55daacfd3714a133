"""Each import contract is seen to fail: one violation of each is planted in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arch.tree import ROOT, python
from tools.speed import patience

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract["name"] for contract in SETTINGS["contracts"]}

# contract: file, what is added to it, and the words by which the report must name it
PLANTS = {
    "services-independent": ("services/ledger/domain/planted_a.py", "import services.campaigns.domain", "planted_a"),
    "service-layers": ("services/campaigns/domain/planted_b.py", "import services.campaigns.codec", "planted_b"),
    "domain-pure": ("services/metrics/domain/planted_c.py", "import sqlalchemy", "planted_c"),
    "kernel-below": ("kernel/core/planted_d.py", "import services.discovery.domain", "planted_d"),
    "kernel-rooms": ("kernel/core/planted_j.py", "import kernel.adapters.database", "planted_j"),
    "no-circles": ("cli/planted_k.py", "import cli.planted_l", "planted_k"),
    "packages-downwards": ("kernel/core/planted_m.py", "import cli.planted_k", "planted_m"),
    "wire-types": ("services/compliance/planted_e.py", "import dandelion.ledger.v1.events_pb2", "planted_e"),
    "cli-outside": ("cli/planted_f.py", "import services.ledger.domain", "planted_f"),
    "console-outside": ("console/planted_n.py", "import kernel.core.ids", "planted_n"),
    "sandbox-outside": ("sandbox/planted_g.py", "import dandelion_contracts", "planted_g"),
    "contracts-light": ("contracts/dandelion_contracts/planted_h.py", "import sqlalchemy", "planted_h"),
    "product-without-tools": ("services/discovery/domain/planted_i.py", "import tools.servers", "planted_i"),
}
ANSWERS = {"cli/planted_l.py": "import cli.planted_k"}
"""Modules that close the circle a plant begins."""
NEEDED = ("services/campaigns/codec.py", "console/__init__.py", "cli/__init__.py", "sandbox/__init__.py")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the packages, with the modules that plants lean on."""
    root = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "*.csv", "*.md")
    for name in ("kernel", "services", "console", "sandbox", "cli", "tools", "contracts"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", root)
    for name in NEEDED:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def report(copy: Path) -> str:
    """What import-linter says of the copy with every plant in it."""
    for path, line in [*[(path, line) for path, line, _ in PLANTS.values()], *ANSWERS.items()]:
        (copy / path).write_text(f"{line}\n")
    return check(copy)


def check(root: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    env = {**os.environ, "PYTHONPATH": ".:contracts", "COLUMNS": "300", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env, timeout=patience(50))
    return done.stdout + done.stderr


def broken(report: str) -> set[str]:
    return {contract for contract, name in CONTRACTS.items() if re.search(f"^{re.escape(name)}.* BROKEN", report, re.M)}


def section(report: str, name: str) -> str:
    """The part of the report that lists why this contract is broken."""
    _, _, details = report.partition("Broken contracts")
    _, _, after = details.partition(f"{name}\n-")
    return re.split(r"\n[^\n]+\n-{5,}\n", after)[0]


def test_every_contract_has_a_plant() -> None:
    assert PLANTS.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", PLANTS)
def test_a_contract_bites(contract: str, report: str) -> None:
    assert contract in broken(report), report
    assert PLANTS[contract][2] in section(report, CONTRACTS[contract]), report


def test_a_module_on_no_layer_is_refused(copy: Path) -> None:
    (copy / "services/ledger/stray.py").touch()
    assert "stray" in section(check(copy), CONTRACTS["service-layers"])


def test_every_folder_of_modules_is_a_package() -> None:
    """import-linter does not see folders without `__init__.py`, so their imports would pass unread."""
    folders = {Path(source.path).parent for source in python() if source.product and "migrations" not in source.path}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").exists()] == []


def test_every_package_is_under_contract() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {
        "dandelion",
        "dandelion_contracts",
        "dandelion_posts",
    }
    assert packages - {"tests", "bench", "soak", "attack"} == set(SETTINGS["root_packages"])
