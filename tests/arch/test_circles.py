"""No circle of imports anywhere, tests and programs included; the import contracts say it of the product's packages only."""

import sys
from collections.abc import Iterator

import grimp
import pytest

from tests.arch.tree import ROOT


def packages() -> list[str]:
    """Every root package that git could know, with those that `contracts/` ships."""
    return sorted({path.parent.name for path in [*ROOT.glob("*/__init__.py"), *ROOT.glob("contracts/*/__init__.py")]})


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    missing = [place for place in (str(ROOT), str(ROOT / "contracts")) if place not in sys.path]
    sys.path[:0] = missing
    return grimp.build_graph(*packages(), cache_dir=None)


def module_circles(graph: grimp.ImportGraph) -> Iterator[str]:
    """Modules that reach themselves, by an import that lies on the way; a package and what is in it count as two."""
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if graph.chain_exists(imported, module):
                yield f"{module} imports {imported}, which leads back"


def sibling_circles(graph: grimp.ImportGraph) -> Iterator[str]:
    """Packages whose children import each other in a circle, by the import that would break the circle."""
    for package in sorted(graph.modules):
        for importer, imported in sorted(graph.nominate_cycle_breakers(package)):
            yield f"{package}: {importer} imports {imported}"


def test_no_module_reaches_itself(graph: grimp.ImportGraph) -> None:
    assert len(graph.modules) > 500
    assert list(module_circles(graph)) == []


def test_no_package_imports_a_sibling_that_imports_it(graph: grimp.ImportGraph) -> None:
    assert list(sibling_circles(graph)) == []


def planted(*pairs: tuple[str, str]) -> grimp.ImportGraph:
    made = grimp.ImportGraph()
    for importer, imported in pairs:
        for name in (importer, imported):
            for end in range(1, name.count(".") + 2):
                made.add_module(".".join(name.split(".")[:end]))
        made.add_import(importer=importer, imported=imported)
    return made


def test_a_circle_of_modules_is_seen() -> None:
    made = planted(("a.x", "a.y"), ("a.y", "a.z"), ("a.z", "a.x"), ("a.w", "a.x"))
    assert [line.split()[0] for line in module_circles(made)] == ["a.x", "a.y", "a.z"]


def test_a_package_that_what_is_in_it_imports_is_seen() -> None:
    assert len(list(module_circles(planted(("a", "a.x"), ("a.x", "a"))))) == 2


def test_a_circle_of_packages_without_one_of_modules_is_seen() -> None:
    made = planted(("a.x.one", "a.y.one"), ("a.y.two", "a.x.two"))
    assert list(module_circles(made)) == []
    assert len(list(sibling_circles(made))) == 1
