"""The files that the lints look at: everything git knows or would add, read and parsed once."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
PRODUCT = ("kernel", "services", "sandbox", "console", "cli", "tools", "contracts")
GENERATED = ("contracts/dandelion/",)


@dataclass(frozen=True)
class Source:
    """One text file: `path` is relative to the root, with `/`. Negative fixtures are Sources that no disk holds."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The whole tree, walked once for all lints."""
        return tuple(ast.walk(self.tree))

    @property
    def module(self) -> str:
        """The dotted name Python imports it by."""
        parts = PurePosixPath(self.path.removeprefix("contracts/")).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def product(self) -> bool:
        return self.path.split("/")[0] in PRODUCT

    def at(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


@cache
def names() -> tuple[str, ...]:
    """Paths of all files that are or could be committed, generated ones left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    kept = (name for name in set(listed) - {""} if not name.startswith(GENERATED) and (ROOT / name).is_file())
    return tuple(sorted(kept))


@cache
def python() -> tuple[Source, ...]:
    return tuple(Source(name, (ROOT / name).read_text()) for name in names() if name.endswith(".py"))


@cache
def texts() -> tuple[Source, ...]:
    """Every file that is UTF-8 text, but not the lock (hashes and versions only) nor shipped data."""
    found = []
    for name in names():
        if name == "requirements.lock" or name.endswith((".csv", ".binpb")):
            continue
        try:
            found.append(Source(name, (ROOT / name).read_text()))
        except UnicodeDecodeError:
            continue
    return tuple(found)
