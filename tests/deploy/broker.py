"""A real broker that asks for passwords and knows rights: Kafka's jars, SCRAM, StandardAuthorizer, nobody allowed by default."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tools.servers.install import java, kafka_jars
from tools.servers.kafka import JVM, LOG4J, SETTINGS, _format
from tools.servers.places import Folder, free_port
from tools.servers.run import Process

ADMIN = "admin"
PASSWORD = "of a broker that lives for one test"
JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required"


def settings(port: int, controller_port: int, data: Path) -> dict[str, str]:
    login = f'{JAAS} username="{ADMIN}" password="{PASSWORD}";'
    return {
        **SETTINGS,
        "log.dirs": str(data),
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"SCRAM://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"SCRAM://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SCRAM:SASL_PLAINTEXT",
        "inter.broker.listener.name": "SCRAM",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",  # the controller's own listener asks for nothing here
    }


@contextmanager
def secured(users: Sequence[str]) -> Iterator[tuple[int, Path]]:
    """The broker's port and the file with everybody's password, while the block runs. NoServer without Java or jars."""
    folder, port = Folder("rights"), free_port()
    password, config = folder.path / "password", folder.path / "server.properties"
    password.write_text(PASSWORD)
    lines = settings(port, free_port(), folder.path / "data")
    config.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    run = [java(None), *JVM, f"-Dlog4j2.configurationFile={LOG4J}", "-cp", f"{kafka_jars(None)}/*"]
    known = [f"--add-scram=SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in (ADMIN, *users)]
    broker = Process([*run, "kafka.Kafka", str(config)], folder.path / "server.log")
    try:
        _format([*run, "kafka.tools.StorageTool", "format", "-t", uuid4().hex[:22], "-c", str(config), *known])
        broker.start()
        yield port, password
    finally:
        broker.close()
        folder.close()
