"""Rendered overlays. What renders and checks them is fetched once; where it cannot be had, tests say so and skip."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandbox.keys import make
from tests.kit.required import without
from tools.deploy.kubectl import K8S, ROOT, parsed, render
from tools.deploy.wheels import NotToBeHad

Object = dict[str, Any]
OVERLAYS = ("dev", "staging", "prod")
OPERATED = ("staging", "prod")


@contextmanager
def fetched() -> Iterator[None]:
    """Skips the test when a tool cannot be fetched, or fails it where DANDELION_REQUIRE names `deploy`."""
    try:
        yield
    except NotToBeHad as reason:
        without("deploy", reason)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/k8s with keys for the dev overlay, which the repository does not hold."""
    copy = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(K8S, copy, ignore=shutil.ignore_patterns("keys"))
    make(copy / "overlays" / "dev" / "keys")
    return copy


@pytest.fixture(scope="session")
def rendered(tree: Path) -> Callable[[str], list[Object]]:
    """The objects of `overlays/prod` and the like; rendered once."""

    @cache
    def objects(folder: str) -> list[Object]:
        with fetched():
            return parsed(render(tree / folder))

    return objects


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, rendered: Callable[[str], list[Object]]) -> list[Object]:
    """Each overlay's objects."""
    return rendered(f"overlays/{request.param}")


@pytest.fixture(params=OPERATED)
def operated(request: pytest.FixtureRequest, rendered: Callable[[str], list[Object]]) -> list[Object]:
    """Objects of the overlays that use the operators."""
    return rendered(f"overlays/{request.param}")


@pytest.fixture
def prod(rendered: Callable[[str], list[Object]]) -> list[Object]:
    return rendered("overlays/prod")


__all__ = ["OPERATED", "OVERLAYS", "ROOT", "Object", "fetched"]
