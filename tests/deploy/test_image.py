"""What the image is made of, as far as files say it: hadolint, the runtime lock, what its build may see."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.conftest import ROOT, fetched
from tools.deploy.scan import hadolint
from tools.sbom import hashes, name_of, sbom

RUNTIME = (ROOT / "requirements-runtime.lock").read_text()
WHOLE = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKE = "made anew by the command in its second line"


def test_hadolint_finds_nothing() -> None:
    with fetched():
        assert hadolint(ROOT / "Dockerfile") == []


def test_the_runtime_lock_is_part_of_the_lock_that_is_tested() -> None:
    whole = hashes(WHOLE)
    drift = {name: found for name, found in hashes(RUNTIME).items() if whole.get(name) != found}
    assert drift == {}, MAKE


def needed() -> set[str]:
    """Everything the declared dependencies need here, by the metadata of what is installed."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in PROJECT["dependencies"]]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in found and (one.marker is None or one.marker.evaluate()):
            found.add(name)
            waiting += _requires(one)
    return found


def _requires(wanted: Requirement) -> Iterator[Requirement]:
    try:
        lines = distribution(wanted.name).requires or []
    except PackageNotFoundError:
        return
    for line in lines:
        one = Requirement(line)
        extras = [{"extra": extra} for extra in ("", *wanted.extras)]
        if one.marker is None or any(one.marker.evaluate(extra) for extra in extras):
            yield Requirement(str(one).partition(";")[0])


def test_the_runtime_lock_is_what_the_product_needs_and_no_more() -> None:
    locked = {name.partition("==")[0] for name in hashes(RUNTIME)}
    elsewhere = set(re.findall(r"^([\w.-]+)==\S+ ; ", RUNTIME, re.MULTILINE))
    assert needed() - locked == set(), MAKE
    assert locked - needed() - elsewhere == set(), MAKE


def test_nothing_of_the_development_group_is_in_the_image() -> None:
    locked = {name.partition("==")[0] for name in hashes(RUNTIME)}
    assert locked & {"pytest", "mypy", "ruff", "uv", "pip", "setuptools", "schemathesis", "testcontainers"} == set()


def test_the_build_sees_only_what_runs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    seen = {line[1:] for line in lines if line.startswith("!")}
    copied = set(re.findall(r"^COPY ([\w./-]+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    packages = {f"contracts/{path.parent.name}" for path in (ROOT / "contracts").glob("*/py.typed")}
    assert "contracts/dandelion_posts" in packages
    assert (copied - {"contracts"}) | packages | {"contracts/dandelion"} <= seen


def test_the_sbom_names_exactly_what_is_installed() -> None:
    made = sbom(WHOLE)
    assert [one["name"] for one in made["components"]] == sorted(name_of(one) for one in distributions())
    assert all(one["properties"] for one in made["components"])
