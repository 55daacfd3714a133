"""What every bench gets: servers brought up when the first row asks for one, and a folder."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType

from bench.measure import say
from cli.layout import Layout
from tools.servers import KafkaServer, PostgresServer, kafka, postgres


class Place:
    """`with Place(folder) as place:`; servers are this run's own and are gone with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._closing = ExitStack()

    @cached_property
    def postgres(self) -> PostgresServer:
        return self._closing.enter_context(postgres.bring(say, ours=True))

    @cached_property
    def kafka(self) -> KafkaServer:
        return self._closing.enter_context(kafka.bring(say, ours=True))

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def servers(self) -> dict[str, str]:
        """What was brought up, by name."""
        return {name: str(self.__dict__[name]) for name in ("postgres", "kafka") if name in self.__dict__}


def layout_of(folder: Path) -> Layout:
    """An embedded platform's keys and settings in the folder."""
    return Layout.at(folder / "platform")
