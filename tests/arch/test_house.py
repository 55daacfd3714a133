"""The house keeps its word: make lists what it can do, CI calls what people call, the lock holds what is declared."""

import os
import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.arch.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)


def test_make_alone_lists_every_target() -> None:
    assert TARGETS is not None
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make ([\w-]+) +\w", told, re.MULTILINE) == TARGETS[1].split()


@pytest.mark.parametrize("target", TARGETS[1].split() if TARGETS else [])
def test_a_target_knows_how_it_is_made(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ci_calls_what_people_call() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text()
    steps = [
        "export DANDELION_REQUIRE=kafka,postgres,deploy,browser\n",
        "make test CONTAINERS=no\n",
        "  make containers\n",
    ]
    assert text.count("NOT tested") == 1
    assert sorted(steps, key=text.index) == steps


@pytest.mark.parametrize("script", [".ci/run", "tools/setup.sh"])
def test_scripts_are_bash(script: str) -> None:
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lines += [line for extra in project["project"].get("optional-dependencies", {}).values() for line in extra]
    return [Requirement(line) for line in lines]


def test_the_lock_holds_what_is_declared() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    missing = [str(one) for one in declared() if locked.get(canonicalize_name(one.name), "") not in one.specifier]
    assert missing == [], "compile the lock anew (its first lines say how)"


def test_every_locked_package_is_pinned_by_hash() -> None:
    blocks = re.split(r"\n(?=[\w.-]+==)", (ROOT / "requirements.lock").read_text())[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
