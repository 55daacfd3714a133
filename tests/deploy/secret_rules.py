"""Rules over rendered objects about secrets; test_rules.py runs them as those of rules.py."""

from collections.abc import Iterator, Mapping, Sequence

from cli.embedded import WIRED
from kernel.runtime.settings import in_plaintext
from sandbox.secret_files import EDGES, SERVING, TABLE
from tests.deploy.objects import Object, containers, environment, name_of, of, ours, pod, title

READ_BY = {f"DANDELION_{one.setting.upper()}": one for one in TABLE if one.setting != "database_password_file"}
"""Who reads a file, by the setting that names it; any other file is read by all roles but `migrate`."""
TLS_SETTINGS = ("DANDELION_TLS_CERTIFICATE_FILE", "DANDELION_TLS_KEY_FILE", "DANDELION_TLS_CLIENT_CA_FILE")
SEARCH_FILE = "DANDELION_SEARCH_FILE"
"""No secret that somebody gives: the process writes it, sealed under a key of the vault."""
FOLDERS = ("keys", "psp", "tls", "callers")
"""Volumes whose every file is a secret of the platform's own, mounted one by one."""


def read_files(objects: Sequence[Object], workload: Object) -> set[str]:
    """Paths of the secret files that the workload's roles read, beside the password of the database."""
    container = containers(workload)[0]
    roles, values = set(container["args"][2:]), environment(list(objects), workload, container)
    named = {name: path for name, path in values.items() if name.endswith("_FILE")}
    named.pop("DANDELION_DATABASE_PASSWORD_FILE")
    named.pop(SEARCH_FILE, None)
    return {path for name, path in named.items() if roles & (READ_BY[name].roles if name in READ_BY else SERVING)}


def keys(objects: Sequence[Object]) -> Iterator[str]:
    """A pod is given a key file exactly where one of its roles reads it; master keys only where personal data is kept."""
    for workload in ours(objects):
        mounted, read = set(_mounted(workload)), read_files(objects, workload)
        if mounted != read:
            yield f"{title(workload)} mounts {sorted(mounted)} and reads {sorted(read)}"
        service = environment(list(objects), workload, containers(workload)[0])["DANDELION_SERVICE"]
        if any(file.endswith("/master.keys") for file in mounted) and not keeps_personal_data(service):
            yield f"{title(workload)} is given master keys and keeps no personal data"


def encrypted_bus(objects: Sequence[Object]) -> Iterator[str]:
    """Kafka is reached by TLS. Only an overlay for trying out, which brings a broker of its own, says `development`."""
    own_broker = any(name_of(found) == "kafka" for found in of(objects, "StatefulSet"))
    for workload in ours(objects):
        values = environment(list(objects), workload, containers(workload)[0])
        if in_plaintext(values["DANDELION_BUS_URL"]) and not own_broker:
            yield f"{title(workload)} reaches Kafka in plaintext"
        if values.get("DANDELION_DEVELOPMENT", "false") != str(own_broker).lower():
            yield f"{title(workload)} runs for development: {not own_broker}"


def encrypted_edges(objects: Sequence[Object]) -> Iterator[str]:
    """Every edge has a certificate of its service's own and asks its callers for one; the gateway has one, and checks the edge's
    name against what the certificate says."""
    names = {found["spec"]["secretName"]: found["spec"].get("dnsNames", []) for found in of(objects, "Certificate")}
    for workload in ours(objects):
        values = environment(list(objects), workload, containers(workload)[0])
        if values.get("DANDELION_PLAINTEXT_EDGES", "false") != "false":
            yield f"{title(workload)} allows plaintext"
        if EDGES & set(containers(workload)[0]["args"][2:]):
            yield from (f"{title(workload)} has no {name}" for name in TLS_SETTINGS if name not in values)
            yield from _misnamed(objects, name_of(workload), values["DANDELION_SERVICE"], names)
    for found in of(objects, "Gateway"):
        told = found["spec"].get("tls", {}).get("backend", {}).get("clientCertificateRef", {})
        if told.get("name") not in names:
            yield f"{title(found)} shows no certificate"


def _misnamed(objects: Sequence[Object], edge: str, service: str, names: Mapping[str, list[str]]) -> Iterator[str]:
    policies = [one["spec"] for one in of(objects, "BackendTLSPolicy") if one["spec"]["targetRefs"][0]["name"] == edge]
    if [one["validation"]["hostname"] for one in policies] != [edge]:
        yield f"{edge} is not checked by its name"
    if edge not in names.get(f"{service}-tls", ()):
        yield f"{edge} is not a name of its certificate"
    for found in of(objects, "Service"):
        if name_of(found) == edge and found["spec"]["ports"][0]["appProtocol"] != "https":
            yield f"{title(found)} is said to be in plaintext"


def keeps_personal_data(service: str) -> bool:
    return "personal_keys" in WIRED[service].metadata().tables


def _mounted(workload: Object) -> Iterator[str]:
    volumes = {one["name"]: one for one in pod(workload).get("volumes", ())}
    for mount in containers(workload)[0]["volumeMounts"]:
        if mount["name"] in FOLDERS:
            items = volumes[mount["name"]]["secret"].get("items") or [{"path": "*"}]
            yield from (f"{mount['mountPath']}/{item['path']}" for item in items)
