"""promtool and Prometheus: those on the PATH, else the Debian package's binaries, unpacked into the cache (not installed)."""

import shutil
from pathlib import Path

from tools.deploy.wheels import NotToBeHad, run
from tools.servers.places import cache, made_once


def binary(name: str) -> str:
    """`promtool` or `prometheus`; raises NotToBeHad where neither PATH nor apt has it."""
    return shutil.which(name) or str(_unpacked() / "usr" / "bin" / name)


def _unpacked() -> Path:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise NotToBeHad("no promtool on the PATH, and no apt-get to fetch Debian's package prometheus with")

    def fill(folder: Path) -> None:
        run(["apt-get", "download", "-q", "prometheus"], cwd=folder)
        package = next(folder.glob("prometheus_*.deb"))
        run(["dpkg", "-x", package.name, "."], cwd=folder)
        package.unlink()

    return made_once(cache() / "prometheus", fill)
