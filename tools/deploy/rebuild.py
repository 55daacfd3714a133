"""`dandelion rebuild-job OVERLAY SERVICE [READ_MODEL ...]` prints a Job that fills read models anew; for kubectl.

With `--reseal` in place of read models the Job encrypts what the log holds in plaintext from before.

The pod is the one that projects, with the rights of the one that migrates: making tables is the owner's.
"""

import copy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.deploy.kubectl import K8S, parsed, render
from tools.deploy.wheels import NotToBeHad

SERVING_ONLY = ("ports", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle")
DATABASE = "DANDELION_DATABASE_URL"
RESEAL = "--reseal"
COMPONENT = "app.kubernetes.io/component"


def job(objects: Sequence[dict[str, Any]], service: str, names: Sequence[str]) -> dict[str, Any]:
    """The Job, from the service's own objects of a rendered overlay; StopIteration when it has no such service."""
    project, migrate = _named(objects, "Deployment", f"{service}-project"), _named(objects, "Job", f"{service}-migrate")
    template = copy.deepcopy(project["spec"]["template"])
    template["metadata"]["labels"][COMPONENT] = "rebuild"
    pod, container = template["spec"], template["spec"]["containers"][0]
    for part in SERVING_ONLY:
        container.pop(part, None)
    owner = migrate["spec"]["template"]["spec"]
    container["env"] = [_of(owner["containers"][0]["env"], DATABASE)] + [
        one for one in container["env"] if one["name"] != DATABASE
    ]
    pod["volumes"] = [_of(owner["volumes"], "database")] + [one for one in pod["volumes"] if one["name"] != "database"]
    container["args"] = [*container["args"][:2], *(["reseal"] if names == [RESEAL] else ["rebuild", *names])]
    pod.pop("topologySpreadConstraints", None)
    pod["restartPolicy"] = "OnFailure"
    metadata = {"generateName": f"{service}-rebuild-", "namespace": migrate["metadata"]["namespace"]}
    metadata["labels"] = template["metadata"]["labels"]
    spec = {"backoffLimit": 3, "ttlSecondsAfterFinished": 86_400, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _named(objects: Sequence[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name)


def _of(found: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in found if one["name"] == name)


def main(arguments: list[str]) -> int:
    """Exit code 2 for an overlay or service that there is not."""
    if len(arguments) < 2 or not Path(K8S / "overlays" / arguments[0]).is_dir():
        sys.stderr.write("usage: dandelion rebuild-job OVERLAY SERVICE [READ_MODEL ... | --reseal]\n")
        return 2
    overlay, service, *names = arguments
    try:
        print(yaml.safe_dump(job(parsed(render(K8S / "overlays" / overlay)), service, names), sort_keys=False), end="")
    except StopIteration:
        sys.stderr.write(f"{overlay} has no service {service}\n")
        return 2
    except NotToBeHad as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
