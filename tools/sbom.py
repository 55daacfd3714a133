"""`python tools/sbom.py LOCK` writes a CycloneDX 1.6 SBOM of the packages installed beside this Python, with the lock's hashes.

Runs inside the image's build, so it imports nothing that is not in Python itself.
"""

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def name_of(found: Distribution) -> str:
    """The name as package indexes normalise it."""
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()


def hashes(lock: str) -> dict[str, list[str]]:
    """SHA-256 hashes of a lock's files by `name==version`; one of them is what was installed."""
    blocks = re.split(r"\n(?=[\w.-]+==)", lock)
    return {block.split()[0]: HASH.findall(block) for block in blocks if re.match(r"[\w.-]+==", block)}


def component(found: Distribution, locked: dict[str, list[str]]) -> dict[str, Any]:
    """One package; a package that the lock does not hold is an error."""
    name, version = name_of(found), found.version
    if f"{name}=={version}" not in locked:
        raise SystemExit(f"{name}=={version} is installed, but not in the lock")
    made: dict[str, Any] = {
        "type": "library", "bom-ref": f"pkg:pypi/{name}@{version}", "name": name, "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "properties": [{"name": "dandelion:locked:sha256", "value": one} for one in locked[f"{name}=={version}"]],
    }  # fmt: skip
    told = next(iter([*_all(found, "License-Expression"), *_all(found, "License")]), "")
    if told and len(told) < 80 and "\n" not in told:
        made["licenses"] = [{"license": {"name": told}}]
    return made


def _all(found: Distribution, field: str) -> list[str]:
    return found.metadata.get_all(field) or []


def sbom(lock: str) -> dict[str, Any]:
    """The document; the same packages give the same bytes."""
    installed = sorted(distributions(), key=name_of)
    components = [component(one, hashes(lock)) for one in installed]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "dandelion", "name": "dandelion"}},
        "components": components,
        "dependencies": [{"ref": "dandelion", "dependsOn": [one["bom-ref"] for one in components]}],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(sbom(Path(sys.argv[1]).read_text()), indent=1))
