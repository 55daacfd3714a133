"""The images that docker-compose.yml names: pulled where a registry answers, else made here under the same tags."""

import re
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tools.deploy.kubectl import ROOT
from tools.deploy.prometheus import binary
from tools.deploy.wheels import NotToBeHad, run
from tools.images.engine import Engine, Failed, Say
from tools.servers.install import kafka_jars
from tools.servers.run import NoServer

HERE = Path(__file__).parent
PULL_S = 120
MADE = "dandelion.made-here"
"""The label of an image that is not the official one."""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
SUITE = "bookworm"
SECONDS = 900
UNMADE = {"grafana"}
"""No package carries it; its profile needs a registry."""


def images() -> dict[str, str]:
    """`{compose service: image}` with the defaults of the file's variables, the Python base under "python"."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yml").read_text())
    services = yaml.safe_load(text)["services"]
    found = {name: one["image"] for name, one in services.items() if not one["image"].startswith("dandelion:")}
    return found | {"python": services["keys"]["build"]["args"]["PYTHON_IMAGE"]}


def ready(engine: Engine, say: Say, tag: str = "") -> dict[str, str]:
    """Every image by name with where it came from, and ours under the tag; NoServer when one can neither be pulled nor made.

    The Python base comes first; what is made over it is made at the same time.
    """
    named = images()
    reachable = _there(engine, "python", named["python"], say, reachable=True)
    with ThreadPoolExecutor() as at_once:
        jobs: list[Future[Any]] = [
            at_once.submit(_there, engine, *one, say, reachable=reachable) for one in named.items()
        ]
        jobs += [at_once.submit(build, engine, tag)] if tag else []
        for job in jobs:
            job.result()
    origins = {image: _origin(engine, image) for image in named.values()}
    return origins | ({tag: "built from this folder"} if tag else {})


def _there(engine: Engine, name: str, image: str, say: Say, *, reachable: bool) -> bool:
    """Pulled where a registry answers, else made; whether one may be asked for the next."""
    if name in UNMADE or engine.has(image):
        return reachable
    reachable = reachable and _pulled(engine, image, say)
    if not reachable:
        _make(engine, name, image, say)
    return reachable


def _pulled(engine: Engine, image: str, say: Say) -> bool:
    """One failure is enough: where one registry does not answer, the others' time is not worth waiting for."""
    say(f"pulling {image}")
    try:
        engine.docker("pull", "-q", image, timeout_s=PULL_S)
    except Failed as failed:
        say(f"no registry gives {image}: {str(failed)[-160:].strip()}")
        return False
    return True


def _origin(engine: Engine, image: str) -> str:
    if not engine.has(image):
        return "not here: only a registry has it"
    made = engine.docker("image", "inspect", "-f", f'{{{{index .Config.Labels "{MADE}"}}}}', image).strip()
    return f"made here, NOT the official image: {made}" if made and made != "<no value>" else "the official image"


def _make(engine: Engine, name: str, image: str, say: Say) -> None:
    say(f"making {image} here, from Debian's packages")
    try:
        MAKERS[name](engine, image)
    except (Failed, NotToBeHad) as reason:
        raise NoServer(f"{image} can neither be pulled nor made: {reason}") from reason


def _base(engine: Engine, image: str) -> None:
    """Debian with Python, by debootstrap; this machine's certificate authorities come along, as its proxies sign by them."""
    if not shutil.which("debootstrap"):
        raise NotToBeHad("debootstrap is missing (`make tools` installs it; Debian: apt-get install debootstrap)")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        packages = "python3,python3-venv,ca-certificates,bash"
        run(["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root)], SECONDS)
        shutil.copy(AUTHORITIES, root / AUTHORITIES.relative_to("/"))
        for junk in ("var/cache/apt/archives", "usr/share/doc"):
            shutil.rmtree(root / junk, ignore_errors=True)
        (root / "var/cache/apt/archives/partial").mkdir(parents=True)
        packed = Path(folder, "root.tar")
        run(["tar", "-C", str(root), "-cf", str(packed), "."], SECONDS)
        changes = [f"ENV PIP_CERT={AUTHORITIES} SSL_CERT_FILE={AUTHORITIES}", f'LABEL {MADE}="Debian {SUITE}"']
        engine.docker(
            "import", *[part for one in changes for part in ("-c", one)], str(packed), image, timeout_s=SECONDS
        )


def _built(name: str, fill: Callable[[Path], None]) -> Callable[[Engine, str], None]:
    """A maker by the Dockerfile of a folder here, over the Python base; `fill` puts more into its context."""

    def make(engine: Engine, image: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder, "context")
            shutil.copytree(HERE / name, context)
            fill(context)
            base = f"BASE={images()['python']}"
            engine.docker("build", "--network", "host", "-q", "--build-arg", base, "-t", image, str(context),
                          timeout_s=SECONDS)  # fmt: skip

    return make


def _with_jars(context: Path) -> None:
    shutil.copytree(kafka_jars(lambda _: None), context / "libs")


def _with_prometheus(context: Path) -> None:
    for name in ("prometheus", "promtool"):
        shutil.copy(binary(name), context / name)


MAKERS: dict[str, Callable[[Engine, str], None]] = {
    "python": _base,
    "kafka": _built("kafka", _with_jars),
    "postgres": _built("postgres", lambda _: None),
    "prometheus": _built("prometheus", _with_prometheus),
}


def build(engine: Engine, tag: str) -> None:
    """The image of the repository's Dockerfile; `--network host`, as a machine's way to its package index may need it."""
    revision = "unknown"
    with suppress(NotToBeHad):
        revision = run(["git", "rev-parse", "HEAD"], cwd=ROOT).strip()
    engine.docker("build", "--network", "host", "-q", "--build-arg", f"REVISION={revision}", "--build-arg",
                  f"PYTHON_IMAGE={images()['python']}", "-t", tag, str(ROOT), timeout_s=SECONDS)  # fmt: skip
