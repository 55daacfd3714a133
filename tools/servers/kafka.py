"""Apache Kafka, one KRaft node (broker and controller in one) unless the environment names a cluster."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tools.servers import containers
from tools.servers.install import KAFKA_VERSION, Say, java, java_version, kafka_jars, told
from tools.servers.places import Folder, Kept, cache, free_port, made_once, whole_copy
from tools.servers.run import Elsewhere, NoServer, Process, Runner, until
from tools.servers.server import Server, chosen, in_thread
from tools.speed import patience

if TYPE_CHECKING:
    from aiokafka.admin import AIOKafkaAdminClient

VARIABLE = "DANDELION_TEST_KAFKA"
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Without the second compiler and the collector's threads: what a broker that lives for minutes does not spend on them the
tests have."""
LOG4J = Path(__file__).with_name("log4j2.properties")
FORMAT_S, ARCHIVE_S = 90, 300
PROPERTIES, DATA, CLASSES, META = "server.properties", "data", "classes.jsa", "meta.properties"

# Small and quick, and nothing that hides a mistake: topics must be made, groups do not wait, nothing is deleted by age.
# A restarted node is a new broker to itself as controller, so the old one's session must end soon.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.retention.ms": "-1",
}


class KafkaServer(Server):
    """`bootstrap` is `host:port[,host:port]`, `url` the same as `kafka://...`."""

    name = "Apache Kafka"

    def __init__(
        self,
        runner: Runner,
        source: str,
        version: str,
        bootstrap: str,
        cluster_id: str | None = None,
        folder: Folder | None = None,
    ) -> None:
        super().__init__(runner, source, version, folder)
        self.bootstrap, self.cluster_id = bootstrap, cluster_id

    @property
    def url(self) -> str:
        return f"kafka://{self.bootstrap}"

    def address(self) -> str:
        return self.bootstrap

    async def probe(self) -> bool:
        from aiokafka.errors import KafkaError  # imported at its first use: most who import this file start no server

        try:
            async with _Admin(self.bootstrap) as admin:
                told = await admin.describe_cluster()
        except (KafkaError, OSError):
            return False
        return bool(told["brokers"]) and self.cluster_id in (None, told["cluster_id"])

    async def create_topics(self, partitions: Mapping[str, int], **settings: str) -> None:
        """Makes topics (name: partition count) with replication 1; raises KafkaError, also when one exists."""
        from aiokafka.admin import NewTopic

        new = [NewTopic(name, count, 1, topic_configs=settings) for name, count in partitions.items()]
        async with _Admin(self.bootstrap) as admin:
            _raise_errors((await admin.create_topics(new)).topic_errors)

    async def clear(self) -> None:
        """Deletes all topics but the broker's own, which forget what they hold of the deleted."""
        async with _Admin(self.bootstrap) as admin:
            names = [name for name in await admin.list_topics() if not name.startswith("__")]
        await self.delete_topics(*names)

    async def delete_topics(self, *names: str) -> None:
        """Deletes topics; those that do not exist are no error."""
        from aiokafka.errors import UnknownTopicOrPartitionError

        async with _Admin(self.bootstrap) as admin:
            answer = await admin.delete_topics(list(names))
        missing = UnknownTopicOrPartitionError.errno
        _raise_errors([error for error in answer.topic_error_codes if error[1] != missing])


class _Admin:
    """aiokafka's admin client, always closed: one whose start failed warns when it is collected."""

    def __init__(self, bootstrap: str) -> None:
        from aiokafka.admin import AIOKafkaAdminClient

        self.client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(patience(10_000)))

    async def __aenter__(self) -> "AIOKafkaAdminClient":
        try:
            await self.client.start()
        except BaseException:
            await self.client.close()
            raise
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


def _raise_errors(errors: list[tuple[str, int, str]] | list[tuple[str, int]]) -> None:
    from aiokafka.errors import for_code

    for topic, code, *why in errors:
        if code:
            raise for_code(code)(f"{topic}: {' '.join(map(str, why))}")


def bring(say: Say, *, ours: bool = False, kept: Kept | None = None) -> KafkaServer:
    """From the environment, a container, or this machine, whichever works first; NoServer with every reason.

    `ours` passes over the environment's, for those who want to hurt it. `kept`: its data outlives it there.
    """
    if os.environ.get(VARIABLE) and not ours:
        return given(os.environ[VARIABLE])
    return chosen({"container": lambda: contained(say, kept), "own": lambda: own(say, kept)}, kept)


def given(bootstrap: str) -> KafkaServer:
    """A cluster that others run; NoServer when it does not answer."""
    address = bootstrap.removeprefix("kafka://")
    server = KafkaServer(Elsewhere(address), f"given by {VARIABLE}", "of a version brokers do not tell", address)
    until(server.answers, server.runner, f"{VARIABLE}={bootstrap}", timeout_s=15)
    return server


def contained(say: Say, kept: Kept | None = None) -> KafkaServer:
    """The official image in a Docker engine."""
    port = kept.port if kept else free_port()
    runner = containers.kafka(port, {**SETTINGS, **_listeners(port, 9093, bind="0.0.0.0")}, kept.name() if kept else "")
    server = KafkaServer(runner, f"container {containers.KAFKA_IMAGE}", KAFKA_VERSION, f"127.0.0.1:{port}")
    return _started(server, say)


def own(say: Say, kept: Kept | None = None) -> KafkaServer:
    """This machine's Java and Kafka's jars: in a temporary folder on free ports, or where its data is kept."""
    program, jars = java(say), kafka_jars(say)
    temporary = None if kept else Folder("kafka")
    folder = kept.folder if kept else temporary.path if temporary else Path()
    run = [program, *JVM, f"-Dlog4j2.configurationFile={LOG4J}", "-cp", f"{jars}/*"]
    version = java_version(program)
    try:
        begun = made_once(cache() / f"kafka-{KAFKA_VERSION}-java-{version}", lambda made: _begin(made, run))
        cluster_id = _storage(begun / DATA, folder / DATA)
        archive = [f"-XX:SharedArchiveFile={begun / CLASSES}"] if (begun / CLASSES).exists() else []
        command, source = [run[0], *archive, *run[1:]], f"this machine's jars, Java {version}"
        server = _node(folder, command, source, cluster_id, kept)
        server.folder = temporary
        return _started(server, say)
    except BaseException:
        if temporary:
            temporary.close()
        raise


def _storage(begun: Path, data: Path) -> str:
    """The cluster id of the storage, which is made on first use."""
    if not data.exists():
        data.parent.mkdir(parents=True, exist_ok=True)
        whole_copy(begun, data, lambda copy: _rename(copy / META, _new_id()))
    found = re.search(r"^cluster\.id=(.*)$", (data / META).read_text(), re.MULTILINE)
    if found is None:
        raise NoServer(f"{data / META} names no cluster: it is no storage of Kafka")
    return found[1].strip()


def _begin(folder: Path, run: Sequence[str]) -> None:
    """Every node begins with formatted storage and an archive of the classes that a broker loads (JEP 350).

    The archive takes the parsing and verifying of classes, most of what a start costs, out of all later starts. The JVM
    writes it at the orderly end of this first node; a JVM that cannot leaves none, and later ones go without.
    """
    cluster_id, archive = _new_id(), f"-XX:ArchiveClassesAtExit={folder / CLASSES}"
    with Folder("kafka-first") as place:
        node = _node(place, [run[0], archive, *run[1:]], "the first node", cluster_id)
        _format([*run, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(place / PROPERTIES)])
        shutil.copytree(place / DATA, folder / DATA)
        try:
            node.start()
            in_thread(lambda: _used(node))
            node.runner.signal(node.orderly, leader_only=True)
            node.runner.wait(ARCHIVE_S)
        finally:
            node.close()


async def _used(node: KafkaServer) -> bool:
    """Every class is loaded that a topic needs."""
    await node.create_topics({"first": 1})
    await node.clear()
    return True


def _node(folder: Path, run: Sequence[str], source: str, cluster_id: str, kept: Kept | None = None) -> KafkaServer:
    """A node whose settings, log and storage are in the folder; not started."""
    config = folder / PROPERTIES
    port, controller = (kept.port, kept.controller_port) if kept else (free_port(), free_port())
    settings = {**SETTINGS, **_listeners(port, controller), "log.dirs": str(folder / DATA)}
    config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    runner = Process([*run, "kafka.Kafka", str(config)], folder / "server.log")
    return KafkaServer(runner, source, KAFKA_VERSION, f"127.0.0.1:{port}", cluster_id)


def _rename(properties: Path, cluster_id: str) -> None:
    """The copied storage becomes another cluster's."""
    text = properties.read_text()
    properties.write_text(re.sub(r"^cluster\.id=.*$", f"cluster.id={cluster_id}", text, flags=re.MULTILINE))


def _new_id() -> str:
    return uuid4().hex[:22]


def plan() -> str:
    """What `bring` would use now, without starting or fetching anything."""
    if os.environ.get(VARIABLE):
        return f"{VARIABLE}={os.environ[VARIABLE]}"
    if containers.engine():
        return f"container {containers.KAFKA_IMAGE}, else this machine's own"
    try:
        return f"{KAFKA_VERSION} from jars in {kafka_jars(None)}, Java {java_version(java(None))}"
    except NoServer as missing:
        return f"{KAFKA_VERSION}, to be installed when a test needs it ({missing})"


def _listeners(port: int, controller_port: int, bind: str = "127.0.0.1") -> dict[str, str]:
    return {
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://{bind}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
    }


def _format(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience(FORMAT_S), check=False)
    if done.returncode:
        raise NoServer(f"Kafka's storage could not be formatted: {told(done)}")


def _started(server: KafkaServer, say: Say) -> KafkaServer:
    say(f"starting {server}")
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server
