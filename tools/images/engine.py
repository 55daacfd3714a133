"""A Docker engine: the one that answers, else one of our own (as root) with everything it keeps in a temporary folder."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tools.deploy.wheels import NotToBeHad, run
from tools.servers.places import Folder, cache, made_once
from tools.servers.run import NoServer, Process, until

Say = Callable[[str], None]
COMPOSE = "v2.40.3"
START_S = 60
PROBE, PROBE_S = "dandelion-probe", 60
EMPTY_TAR = "\0" * 10_240
MOUNTED = [folder for folder in ("/bin", "/lib", "/lib64", "/usr") if Path(folder).exists()]
"""What /bin/true of this machine needs, as an engine without a registry has no image of its own."""
STOP_S = 60


class Failed(Exception):
    """A docker command failed; the text is its last words."""


@dataclass
class Engine:
    """An engine and how to speak with it; `close` ends it when it is ours."""

    env: Mapping[str, str]
    what: str
    ours: Process | None = None
    folder: Folder | None = None
    compose: Sequence[str] = field(default_factory=list)

    def docker(self, *arguments: str, timeout_s: float = 600, cwd: Path | None = None, text: str | None = None) -> str:
        """What `docker ...` says; raises Failed."""
        return self._run(["docker", *arguments], timeout_s, cwd, text)

    def up(self, *arguments: str, cwd: Path, timeout_s: float = 600, env: Mapping[str, str] | None = None) -> str:
        """`docker compose ...` in a project's folder; raises Failed."""
        return self._run([*self.compose, *arguments], timeout_s, cwd, None, env)

    def _run(
        self,
        command: Sequence[str],
        timeout_s: float,
        cwd: Path | None,
        text: str | None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=cwd, input=text,
                env={**os.environ, **self.env, **(env or {})},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"{' '.join(command)[:200]}: {error}") from error
        if done.returncode:
            raise Failed(f"{' '.join(command)[:200]}: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def answers(self) -> bool:
        with suppress(Failed):
            self.docker("info", "--format", "{{.ServerVersion}}", timeout_s=10)
            return True
        return False

    def has(self, image: str) -> bool:
        with suppress(Failed):
            self.docker("image", "inspect", image, timeout_s=30)
            return True
        return False

    def close(self) -> None:
        """Ends an engine of our own with all it holds; leaves another as it is."""
        if self.ours is not None:
            with suppress(Failed):
                if running := self.docker("ps", "-q", timeout_s=30).split():
                    self.docker("kill", *running, timeout_s=60)
            self.ours.signal(signal.SIGTERM, leader_only=True)
            with suppress(TimeoutError):
                self.ours.wait(STOP_S)
            self.ours.close()
            self.ours = None
        if self.folder is not None:
            _unmount(self.folder.path)
            self.folder.close()


def _unmount(folder: Path) -> None:
    """dockerd leaves the mount of its own network namespace behind, and a folder with a mount in it cannot be removed."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for where in sorted((one for one in mounted if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", where], timeout=STOP_S, check=False)


def bring(say: Say) -> Engine:
    """The engine that answers, else our own; raises NoServer when neither is to be had."""
    found = _found(say)
    try:
        found.compose = _compose(found, say)
    except NotToBeHad as reason:
        found.close()
        raise NoServer(str(reason)) from reason
    return found


def _found(say: Say) -> Engine:
    if not shutil.which("docker"):
        raise NoServer("no docker command (`make tools` installs it; Debian: apt-get install docker.io)")
    found = Engine({}, "the Docker engine of this machine")
    return found if found.answers() else _own(say)


def probe(say: Say) -> str:
    """Brings an engine and `docker compose`, runs this machine's /bin/true in a container; which it was. Raises NoServer."""
    engine = _found(say)
    try:
        engine.docker("import", "-", PROBE, text=EMPTY_TAR)
        mounts = [part for folder in MOUNTED for part in ("-v", f"{folder}:{folder}:ro")]
        engine.docker("run", "--rm", *mounts, PROBE, "/bin/true", timeout_s=PROBE_S)
        engine.docker("image", "rm", PROBE)
        _compose(engine, say)
    except NotToBeHad as reason:
        raise NoServer(str(reason)) from reason
    except Failed as failed:
        raise NoServer(f"{engine.what} answers, but runs no container: {failed}") from failed
    finally:
        engine.close()
    return engine.what


def _own(say: Say) -> Engine:
    daemon = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin")
    if daemon is None:
        raise NoServer(
            "no Docker engine answers, and dockerd is missing (`make tools`; Debian: apt-get install docker.io)"
        )
    if os.geteuid() != 0:
        raise NoServer("no Docker engine answers, and one of our own needs root")
    say("starting a Docker engine of our own")
    folder = Folder("docker")
    socket = f"unix://{folder.path / 'docker.sock'}"
    flags = {"data-root": folder.path / "data", "exec-root": folder.path / "exec", "pidfile": folder.path / "pid"}
    command = [daemon, "-H", socket, *[f"--{name}={value}" for name, value in flags.items()]]
    # not killed with us: containers would outlive it; the next run's sweep takes the folder
    made = Engine({"DOCKER_HOST": socket}, "a Docker engine of our own", Process(command, folder.path / "log"), folder)
    assert made.ours is not None
    made.ours.start()
    try:
        until(made.answers, made.ours, "dockerd", START_S)
    except BaseException:
        made.close()
        raise
    return made


def _compose(engine: Engine, say: Say) -> Sequence[str]:
    """`docker compose`, else the same built from its Go module (Debian has none)."""
    with suppress(Failed):
        engine.docker("compose", "version", timeout_s=30)
        return ["docker", "compose"]
    if not shutil.which("go"):
        raise NotToBeHad("no `docker compose`, and no Go to build it with (Debian: apt-get install golang-go)")

    def fill(folder: Path) -> None:
        say(f"building docker compose {COMPOSE} from its Go module (once, some minutes)")
        module = "github.com/docker/compose/v2"
        (folder / "go.mod").write_text("module compose\n\ngo 1.24\n")
        run(["go", "get", f"{module}/cmd@{COMPOSE}"], cwd=folder)
        flags = f"-s -w -X {module}/internal.Version={COMPOSE}"
        run(["go", "build", "-trimpath", "-ldflags", flags, "-o", "docker-compose", f"{module}/cmd"], 3600, folder)

    return [str(made_once(cache() / f"compose-{COMPOSE}", fill) / "docker-compose")]
