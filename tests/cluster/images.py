"""The images of a run, built from this folder on a Docker engine and put on the node."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kernel.host.migrate import head_revision
from tests.cluster.platform import OUTSIDE
from tools.cluster.binaries import folders, path
from tools.cluster.place import FOLDER, socket
from tools.deploy.kubectl import ROOT
from tools.images.engine import Engine, bring
from tools.images.make import build, images, ready
from tools.speed import patience

TAG, BAD = "test", "bad"
IMPORT_S = 900
LOAD = "LOAD"
"""How images come to the nodes of a cluster that others run, e.g. `kind load docker-image`; their names are added."""
HANDED = FOLDER / "images.json"
"""Which image the node has under which name."""
BAD_SERVICE = "ledger"
OUTSIDE_NEEDS = ("tools", "tests", "soak")
MIGRATION = '''"""Fails half way, as one that was never tried on real data does."""

from tools.speed import patience

revision = "bad"
down_revision = "{after}"


def upgrade() -> None:
    op.execute("CREATE TABLE half_done (id bigint)")
    op.execute("SELECT 1 / 0")
'''


def say(text: str) -> None:
    sys.stderr.write(f"[cluster] {text}\n")


def prepared(own: bool) -> None:
    """Builds all images and brings them to the nodes; raises NoServer where no engine is to be had."""
    load = shlex.split(os.environ.get(LOAD, ""))
    if not own and not load:
        say(f"no {LOAD}: the nodes must have dandelion:{TAG}, dandelion:{BAD} and {OUTSIDE}:{TAG} already")
        return
    engine = bring(say)
    try:
        for image, origin in ready(engine, say).items():
            say(f"{image}: {origin}")
        build(engine, f"dandelion:{TAG}")
        _outside(engine)
        _bad(engine)
        known = images()
        names = [known["kafka"], known["postgres"], *[f"dandelion:{one}" for one in (TAG, BAD)], f"{OUTSIDE}:{TAG}"]
        if own:
            _hand(engine, names)
        else:
            subprocess.run([*load, *names], check=True, timeout=patience(IMPORT_S))
    finally:
        engine.close()


def _outside(engine: Engine) -> None:
    """The product's image with the tests and the soak, so that the storyteller sees the platform from within the cluster."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        for name in OUTSIDE_NEEDS:
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        (context / "Dockerfile").write_text(
            f"FROM dandelion:{TAG}\nCOPY tools /app/tools\nCOPY tests /app/tests\nCOPY soak /app/soak\n"
        )
        engine.docker("build", "-q", "-t", f"{OUTSIDE}:{TAG}", folder)


def _bad(engine: Engine) -> None:
    """The next version of the product, whose migration fails."""
    versions = f"services/{BAD_SERVICE}/migrations"
    with tempfile.TemporaryDirectory() as folder:
        text = MIGRATION.format(after=head_revision(ROOT / versions))
        Path(folder, "bad.py").write_text(text)
        Path(folder, "Dockerfile").write_text(f"FROM dandelion:{TAG}\nCOPY bad.py /app/{versions}/versions/bad.py\n")
        engine.docker("build", "-q", "-t", f"dandelion:{BAD}", folder)


def _hand(engine: Engine, names: Sequence[str]) -> None:
    """As one archive through a pipe; what the node got before and is still the same stays there."""
    ids = {name: engine.docker("image", "inspect", "-f", "{{.Id}}", name).strip() for name in names}
    there = json.loads(HANDED.read_text()) if HANDED.exists() else {}
    new = [name for name in names if there.get(name) != ids[name]]
    if not new:
        return
    say(f"handing {', '.join(new)} to the node")
    environment = {**os.environ, **engine.env, "PATH": path(folders())}
    command = ["ctr", "-a", str(socket()), "-n", "k8s.io", "images", "import", "-"]
    with subprocess.Popen(["docker", "save", *new], stdout=subprocess.PIPE, env=environment) as saved:
        subprocess.run(
            command, stdin=saved.stdout, capture_output=True, check=True, timeout=patience(IMPORT_S), env=environment
        )
    if saved.returncode:
        raise RuntimeError(f"docker save ended with {saved.returncode}")
    HANDED.write_text(json.dumps(ids))
