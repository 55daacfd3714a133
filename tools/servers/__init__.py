"""Real Apache Kafka and PostgreSQL, brought up on demand: `with kafka.bring(say) as server:`.

This lives in tools/ because two callers need it, the tests and `make demo BUS=kafka DB=postgres`; cli may not import
tests, and a service's image needs neither. Each server comes from the first source that works: the environment
(`DANDELION_TEST_KAFKA`, `DANDELION_TEST_POSTGRES`), a container when a Docker engine answers, this machine's own
binaries and jars (fetched by apt and Maven when they are missing and we may).

`find` says who brings what; `kafka` and `postgres` are the servers; `run` is how one is started, hurt and ended;
`leash` ends a server when the process that started it is gone, however it went.
"""

from tools.servers.kafka import KafkaServer
from tools.servers.postgres import PostgresServer
from tools.servers.run import NoServer

__all__ = ["KafkaServer", "NoServer", "PostgresServer"]
