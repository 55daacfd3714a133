"""The image that holds a pod's namespaces: a static program of a few lines, made here as no registry may be reached."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.cluster.binaries import path
from tools.cluster.place import PAUSE, socket
from tools.deploy.wheels import run
from tools.servers.places import cache, made_once

PROGRAM = """package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
}
"""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def pause(folders: list[Path], say: Callable[[str], None]) -> None:
    """Into containerd's images."""

    def fill(folder: Path) -> None:
        say("building the pause program (once)")
        (folder / "pause.go").write_text(PROGRAM)
        run(["env", "CGO_ENABLED=0", "go", "build", "-ldflags", "-s -w", "-o", "pause", "pause.go"], cwd=folder)

    program = made_once(cache() / "cluster" / "pause", fill) / "pause"
    load(folders, image(PAUSE, program.read_bytes()))


def load(folders: list[Path], archive: bytes) -> None:
    """Imports an image archive for Kubernetes."""
    ctr = next(folder / "ctr" for folder in folders if (folder / "ctr").exists())
    command = [str(ctr), "-a", str(socket()), "-n", "k8s.io", "images", "import", "--digests=false", "-"]
    subprocess.run(command, input=archive, capture_output=True, check=True, timeout=120, env={"PATH": path(folders)})


def image(name: str, program: bytes) -> bytes:
    """A docker archive of one layer with one program."""
    layer = _tar({"pause": program})
    digest = hashlib.sha256(layer).hexdigest()
    settings = json.dumps({
        "architecture": ARCHITECTURES.get(platform.machine(), "amd64"), "os": "linux",
        "config": {"Entrypoint": ["/pause"]}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created_by": "pause"}],
    }).encode()  # fmt: skip
    named = f"{hashlib.sha256(settings).hexdigest()}.json"
    manifest = json.dumps([{"Config": named, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    return _tar({named: settings, "layer.tar": layer, "manifest.json": manifest})


def _tar(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            told = tarfile.TarInfo(name)
            told.size, told.mode = len(content), 0o755
            archive.addfile(told, io.BytesIO(content))
    return packed.getvalue()
