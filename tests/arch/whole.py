"""Rules over the whole tree: lengths of functions, dead modules, links between documents."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from statistics import median, quantiles

from tests.arch.lints import functions, imports
from tests.arch.tree import Source

MAX_MEDIAN = 8
MAX_P90 = 25
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.*?)\s*#*$", re.MULTILINE)
# What others import or run by name: roles of a service, what a subscriber installs, migrations that alembic finds.
ENTRY = re.compile(r"(^|/)(__main__|wiring|conftest|env)\.py$|/migrations/|^contracts/|^tests/(.*/)?test_")


def lengths(sources: Sequence[Source]) -> Iterator[str]:
    """The median and the ninetieth percentile of product functions' lines."""
    counted = [length for source in sources if source.product for _, length in functions(source)]
    if len(counted) < 2:
        return
    p90 = quantiles(counted, n=10, method="inclusive")[8]
    if median(counted) > MAX_MEDIAN:
        yield f"the median function has {median(counted)} lines, {MAX_MEDIAN} allowed"
    if p90 > MAX_P90:
        yield f"every tenth function has more than {p90:.0f} lines, {MAX_P90} allowed"


def dead(sources: Sequence[Source]) -> Iterator[str]:
    """Modules that are no entry point and that nobody imports; a product module must be imported by product code."""
    alive = {name for source in sources for name in used(source)}
    by_product = {name for source in sources if source.product for name in used(source)}
    for source in sources:
        names = by_product if source.product else alive
        if source.module not in names and not _entry(source, sources):
            yield f"{source.path}: nobody imports it"


def used(source: Source) -> Iterator[str]:
    """Modules that a file may mean by its imports, itself left out."""
    for _, name in imports(source):
        for candidate in (name, name.rpartition(".")[0]):
            if candidate != source.module:
                yield candidate


def _entry(source: Source, sources: Sequence[Source]) -> bool:
    """Run by name, found by its package (pkgutil), or a package itself."""
    if ENTRY.search(source.path) or 'if __name__ == "__main__":' in source.text:
        return True
    if source.path.endswith("__init__.py"):
        return True  # a package lives by what is in it
    package = source.module.rpartition(".")[0]
    return any(other.module == package and "pkgutil." in other.text for other in sources)


def broken_links(sources: Sequence[Source], files: Collection[str]) -> Iterator[str]:
    """Relative links of Markdown files that lead to no file, folder or heading."""
    texts = {source.path: source.text for source in sources}
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for source in sources:
        for target in links(source.text):
            path, _, anchor = target.partition("#")
            goal = resolved(source.path, path)
            if goal not in files and goal not in folders:
                yield f"{source.path}: {target} leads nowhere"
            elif anchor and goal in texts and anchor not in anchors(texts[goal]):
                yield f"{source.path}: {target} names no heading"


def links(text: str) -> Iterator[str]:
    for plain, image in LINK.findall(FENCE.sub("", text)):
        target = plain or image
        if not re.match(r"[a-z]+:", target):
            yield target


def resolved(source: str, path: str) -> str:
    if not path:
        return source
    parts: list[str] = [] if path.startswith("/") else list(PurePosixPath(source).parts[:-1])
    for part in path.strip("/").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."


def anchors(text: str) -> set[str]:
    """As GitHub makes them; the second heading of one name gets -1, and so on."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(FENCE.sub("", text)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[slug] = found.get(slug, 0) + 1
    return {slug if not n else f"{slug}-{n}" for slug, count in found.items() for n in range(count)}
