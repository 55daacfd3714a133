"""Official images in a Docker engine, by testcontainers; ports are published on 127.0.0.1, the same over restarts."""

import os
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from tools.servers.install import KAFKA_VERSION
from tools.servers.run import STOP_S, NoServer
from tools.speed import patience

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = "postgres:17"
KAFKA_DATA, POSTGRES_DATA = "/var/lib/kafka/data", "/var/lib/postgresql/data"
SOCKET = "/var/run/docker.sock"
ENDED = ("exited", "dead", "removing")


@cache
def engine() -> bool:
    """Whether a Docker engine answers."""
    if not os.environ.get("DOCKER_HOST") and not os.path.exists(SOCKET):
        return False
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


@cache
def _reaper() -> None:
    """testcontainers' reaper removes containers of killed runs; where its image cannot be had, it is done without, aloud."""
    from docker.errors import DockerException
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import Reaper

    if not testcontainers_config.ryuk_disabled:
        try:
            Reaper.get_instance()
        except (DockerException, OSError) as error:
            testcontainers_config.ryuk_disabled = True
            why = str(error).partition("\n")[0][:120]
            sys.stderr.write(f"[servers] testcontainers without its reaper, whose image cannot be had: {why}\n")


@dataclass
class Contained:
    """A server as a container: pause for SIGSTOP, so that the whole of it stands still."""

    image: str
    inner: "DockerContainer"
    started: bool = False

    def start(self) -> None:
        """The first start makes the container (pulling its image); later ones start the same again."""
        if self.started:
            self.inner.get_wrapped_container().start()
            return
        from docker.errors import DockerException
        from requests import RequestException

        _reaper()
        try:
            self.inner.start()
        except (DockerException, RequestException, OSError) as error:
            raise NoServer(f"image {self.image}: {error}") from error
        self.started = True

    def signal(self, number: signal.Signals, *, leader_only: bool = False) -> None:
        inner = self.inner.get_wrapped_container()
        if number is signal.SIGSTOP:
            inner.pause()
        elif number is signal.SIGCONT:
            inner.unpause()
        else:
            inner.kill(signal=number.name)

    def wait(self, timeout_s: float = STOP_S) -> None:
        deadline = time.monotonic() + patience(timeout_s)
        while self.alive():
            if time.monotonic() > deadline:
                raise TimeoutError(f"container of {self.image} did not end within {timeout_s} s")
            time.sleep(0.05)

    def alive(self) -> bool:
        if not self.started:
            return False
        inner = self.inner.get_wrapped_container()
        inner.reload()
        return inner.status not in ENDED

    def log_tail(self) -> str:
        return cast(bytes, self.inner.get_wrapped_container().logs(tail=20)).decode(errors="replace")

    def close(self) -> None:
        if self.started:
            self.inner.stop(force=True)


def kafka(port: int, settings: Mapping[str, str], kept: str = "") -> Contained:
    """The broker listens on `port` inside and outside, so that its advertised address holds for both.

    `kept` names the volume that its data outlives it in, and the container.
    """
    settings = {**settings, **({"log.dirs": KAFKA_DATA} if kept else {})}
    env = {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in settings.items()}
    return _kept(_container(KAFKA_IMAGE, port, port, env), kept, KAFKA_DATA)


def postgres(port: int, settings: Mapping[str, str], kept: str = "") -> Contained:
    """`kept` names the volume that its data outlives it in, and the container."""
    flags = " ".join(f"-c {key}={value}" for key, value in settings.items())
    made = _container(POSTGRES_IMAGE, 5432, port, {"POSTGRES_HOST_AUTH_METHOD": "trust"}, flags)
    return _kept(made, kept, POSTGRES_DATA)


def _kept(made: Contained, name: str, data: str) -> Contained:
    """The container of this name that a killed starter left goes first: it holds port and volume."""
    if name:
        remove(name)
        made.inner.with_name(name).with_volume_mapping(name, data, mode="rw")
    return made


def remove(name: str, *, volume: bool = False) -> None:
    """Removes the container of this name, if there is one; with `volume` its data too."""
    import docker
    from docker.errors import NotFound

    with closing(docker.from_env(timeout=30)) as client:
        with suppress(NotFound):
            client.containers.get(name).remove(force=True)
        if volume:
            with suppress(NotFound):
                client.volumes.get(name).remove()


def _container(image: str, inside: int, port: int, env: Mapping[str, str], command: str | None = None) -> Contained:
    if not engine():
        raise NoServer("no Docker engine answers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # testcontainers warns about its own modules
        from testcontainers.core.container import DockerContainer

    inner = DockerContainer(image).with_envs(**env)
    cast(dict[str, Any], inner.ports)[f"{inside}/tcp"] = ("127.0.0.1", port)
    return Contained(image, inner.with_command(command) if command else inner)
