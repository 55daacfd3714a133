"""Generates contracts/dandelion from proto/, and checks that it is current, well formed and compatible.

`python tools/proto.py` generates; `--check` generates into a temporary folder and fails on drift, lint or a breaking change;
`--release` writes proto/baseline.binpb, the image of the last release that `--check` compares with, and the wire samples in
tests/unit/corpus, which stay readable for ever. Nothing is downloaded.
"""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import google.api
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GENERATED = ROOT / "contracts" / "dandelion"
BASELINE = PROTO / "baseline.binpb"
IMPORTED = Path(google.api.__path__[0]).parent.parent
"""Folder of `google/api/annotations.proto`, which the package googleapis-common-protos brings."""
ANNOTATIONS = ("google/api/annotations.proto", "google/api/http.proto")


def run(*command: str, folder: Path = PROTO) -> bool:
    """Runs a tool of this environment; its own output says what is wrong."""
    return subprocess.run(command, cwd=folder, check=False).returncode == 0


def tool(name: str) -> str:
    """A tool beside this interpreter, or on the path when the environment was not activated there."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def sources() -> list[str]:
    return sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))


def generate(into: Path) -> bool:
    """Messages, gRPC stubs and type stubs of every proto file, with `py.typed` in the package's root."""
    plugins = [f"--plugin=protoc-gen-{name}={tool(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    services = [name for name in sources() if name.endswith("/queries.proto")]
    messages = (f"--python_out={into}", f"--mypy_out=readable_stubs,quiet:{into}")
    stubs = (f"--grpc_python_out={into}", f"--mypy_grpc_out=quiet:{into}")
    done = protoc(*plugins, *messages, *sources()) and protoc(*plugins, *stubs, *services)
    if done:
        (into / "dandelion" / "py.typed").touch()
    return done


def protoc(*arguments: str) -> bool:
    return run(sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{IMPORTED}", *arguments)


def files(folder: Path) -> dict[str, Path]:
    return {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def drift(fresh: Path, kept: Path) -> list[str]:
    """Names of files that differ, are missing or are left over."""
    new, old = files(fresh), files(kept)
    changed = [name for name in new.keys() & old.keys() if not filecmp.cmp(new[name], old[name], shallow=False)]
    return sorted([*changed, *(new.keys() ^ old.keys())])


def write() -> int:
    """Replaces the generated package by a fresh one; what is left over is deleted."""
    with tempfile.TemporaryDirectory() as name:
        if not generate(Path(name)):
            return 1
        fresh, kept = files(Path(name, "dandelion")), files(GENERATED)
        for left_over in kept.keys() - fresh.keys():
            kept[left_over].unlink()
        for relative, path in fresh.items():
            (GENERATED / relative).parent.mkdir(parents=True, exist_ok=True)
            (GENERATED / relative).write_bytes(path.read_bytes())
    print(f"contracts/dandelion: {len(fresh)} files from {len(sources())} proto files")
    return 0


def check() -> int:
    """0 when lint, compatibility with the baseline and the generated code are in order."""
    with tempfile.TemporaryDirectory() as name:
        generated = generate(Path(name))
        stale = drift(Path(name, "dandelion"), GENERATED) if generated else []
    for relative in stale:
        print(f"contracts/dandelion/{relative} is not what proto/ generates; run `make proto`")
    return 0 if generated and not stale and lint() and compatible() else 1


def lint(folder: Path = PROTO) -> bool:
    with workspace(folder) as place:
        return buf("lint", "proto", place=place) and buf("format", "-d", "--exit-code", "proto", place=place)


def compatible(folder: Path = PROTO) -> bool:
    """Whoever was built against the baseline can read and write what this folder describes."""
    with workspace(folder) as place:
        return buf("breaking", "proto", "--against", str(BASELINE), place=place)


def buf(*arguments: str, place: Path) -> bool:
    return run(tool("buf"), *arguments, folder=place)


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """A buf workspace of `folder` (as `proto`) and of what it imports: buf itself would fetch that from its registry."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(folder, place / "proto")
        told = yaml.safe_load((place / "proto" / "buf.yaml").read_text())
        (place / "proto" / "buf.yaml").unlink()
        told["modules"] = [{"path": "proto"}, {"path": "imported", "lint": {"use": ["MINIMAL"]}}]
        (place / "buf.yaml").write_text(yaml.safe_dump(told))
        for relative in ANNOTATIONS:
            (place / "imported" / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(IMPORTED / relative, place / "imported" / relative)
        yield place


def release() -> int:
    """What is in a released corpus is never rewritten: a new release adds a file."""
    with workspace(PROTO) as place:
        if not (lint() and buf("build", "proto", "--exclude-source-info", "-o", str(BASELINE), place=place)):
            return 1
    return 0 if run(sys.executable, "-m", "tools.samples", folder=ROOT) else 1


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--release", action="store_true")
    options = parser.parse_args(arguments)
    if options.check:
        return check()
    return release() if options.release else write()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
