"""What a bare machine lacks: Debian packages when we are root, Kafka's jars by Maven; each once, each announced."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.servers.places import cache
from tools.servers.run import NoServer

Say = Callable[[str], None]

KAFKA_VERSION = "4.3.1"
JAVA_AT_LEAST = 17
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = Path(__file__).with_name("kafka.pom.xml")
INSTALL_S = 900
REASON_CHARS = 400


def _run(what: str, *command: str) -> None:
    """Runs an installer with the usual umask: what it installs is for every user of the machine."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_S, env=env, check=False, umask=0o022
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoServer(f"{what}: {error}") from error
    if done.returncode:
        raise NoServer(f"{what} failed: {told(done)}")


def told(done: "subprocess.CompletedProcess[str]") -> str:
    """The beginning of what a failed command said, in one line, for a reason that people read."""
    return " ".join((done.stderr + done.stdout).split())[:REASON_CHARS]


def apt(say: Say, *packages: str) -> None:
    """Installs Debian packages; NoServer when this is not a Debian, or we are not root."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoServer(f"missing here: {' '.join(packages)} (installed only as root, on a system with apt-get)")
    say(f"installing {' '.join(packages)} with apt-get (once)")
    _run("apt-get update", "apt-get", "update", "-q")
    _run("apt-get install", "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)


def java(say: Say | None) -> str:
    """The path of a Java that can run Kafka, installed by apt when there is none (never when `say` is None)."""
    found = _java()
    if found is None and say is not None:
        apt(say, "default-jre-headless")
        found = _java()
    if found is None:
        raise NoServer(f"no Java of version {JAVA_AT_LEAST} or later")
    return found


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    return path if path and int(java_version(path).partition(".")[0] or 0) >= JAVA_AT_LEAST else None


def java_version(path: str) -> str:
    """E.g. `17.0.15`; empty when it does not say."""
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "([\d.]+)', told)
    return match[1] if match else ""


def kafka_jars(say: Say | None) -> Path:
    """The folder with Kafka's jars, fetched by Maven on first use (never when `say` is None)."""
    folder = cache() / f"kafka-{KAFKA_VERSION}"
    if not folder.is_dir():
        if say is None:
            raise NoServer(f"no Kafka jars in {folder.parent} yet")
        _fetch_jars(say, folder)
    return folder


def _fetch_jars(say: Say, folder: Path) -> None:
    if not shutil.which("mvn"):
        apt(say, "maven")
    say(f"fetching Apache Kafka {KAFKA_VERSION} with Maven (once, 46 MB)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="fetch-", dir=folder.parent))
    try:
        shutil.copy(POM, work / "pom.xml")
        settings = f"-Dkafka.version={KAFKA_VERSION}", f"-DoutputDirectory={work / 'jars'}", "-Dstyle.color=never"
        _run("mvn", "mvn", "-B", "-q", "-f", str(work / "pom.xml"), *settings, COPY_GOAL)
        if not folder.is_dir():  # two runs may fetch at once; the first to rename wins
            (work / "jars").rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def postgres_binaries(say: Say | None) -> Path:
    """The folder with `postgres` and `initdb`, installed by apt when there is none (never when `say` is None)."""
    found = _postgres_binaries()
    if found is None and say is not None:
        apt(say, "postgresql")
        found = _postgres_binaries()
    if found is None:
        raise NoServer("no PostgreSQL server binaries")
    return found


def _postgres_binaries() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[4]))
    on_path = shutil.which("postgres")
    known = [*([Path(on_path).resolve()] if on_path else []), *debian]
    return known[-1].parent if known else None
