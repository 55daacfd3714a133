"""What the story hears: every event of all five services through the subscriber helper, counted, kept, waited for."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dandelion_contracts.errors import Unreachable
from dandelion_contracts.events import SERVICES, events_topic
from dandelion_contracts.positions import MemoryPositions, Position
from dandelion_contracts.subscriber import source_of, subscribe
from google.protobuf.message import Message

from cli.story.market import Unexpected

M = TypeVar("M", bound=Message)
WAIT_S = 120.0
"""How long an event is waited for before the story says that it did not come."""
UNREACHABLE_PAUSE_S = 0.5
LOOK_EVERY_S = 0.1
Test = Callable[[Any], bool]


class Heard:
    """All events so far. Follow them with `async with`; ask with `one`, `every` and `count`."""

    def __init__(self, bus: str, wait_s: float | None = None) -> None:
        self._bus, self._wait_s = bus, WAIT_S if wait_s is None else wait_s
        self._by_type: dict[str, list[Any]] = defaultdict(list)
        self._by_id: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
        self._ids: dict[str, set[str]] = {service: set() for service in SERVICES}
        self._woken: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._tasks: list[asyncio.Task[None]] = []
        self._reached: dict[tuple[str, int], Position] = {}
        self._read = {service: MemoryPositions() for service in SERVICES}

    async def __aenter__(self) -> "Heard":
        self._tasks = [asyncio.create_task(self._follow(service)) for service in SERVICES]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, service: str) -> None:
        async with subscribe(service, brokers=self._bus, positions=self._read[service]) as events:
            while True:
                try:
                    event = await anext(events)
                except Unreachable:
                    await asyncio.sleep(UNREACHABLE_PAUSE_S)
                    continue
                if event.id in self._ids[service]:
                    raise Unexpected(f"{event.id} came twice")
                self._ids[service].add(event.id)
                self._reached[service, event.where[1]] = event.after
                self._keep(event.type, event.message)

    def ids(self, service: str) -> set[str]:
        """Of all its events so far."""
        return self._ids[service]

    def ended(self) -> None:
        """Raises what ended a subscription, if something did."""
        for task in self._tasks:
            if task.done():
                if not task.cancelled():
                    task.result()
                raise Unexpected("a subscription ended by itself")

    def at_least(self, service: str) -> list[str]:
        """What was heard of a service so far, as values of `at_least` with at most 8 tokens each."""
        reached = [(part, after) for (name, part), after in sorted(self._reached.items()) if name == service]
        tokens = [f"{service}:{after.last_position}:{part}" for part, after in reached]
        return [" ".join(tokens[start : start + 8]) for start in range(0, len(tokens), 8)]

    def newest(self, service: str) -> str:
        """The same for the service itself, whose read models follow its own log: its latest event is enough."""
        found = [(after.last_position, part) for (name, part), after in self._reached.items() if name == service]
        position, partition = max(found)
        return f"{service}:{position}:{partition}"

    def _keep(self, kind: str, message: Any) -> None:
        self._by_type[kind].append(message)
        for field in message.DESCRIPTOR.fields:
            if field.name.endswith("_id"):
                self._by_id[kind, field.name, getattr(message, field.name)].append(message)
        woken = self._woken.pop(kind, None)
        if woken is not None:
            woken.set()

    def counts(self) -> Counter[str]:
        """Events by `<service>.<name>`."""
        return Counter(
            {".".join(kind.split(".")[i] for i in (1, 3)): len(found) for kind, found in self._by_type.items()}
        )

    def every(self, kind: type[M]) -> list[M]:
        """All of a type, in the order they were heard."""
        return list(self._by_type.get(kind.DESCRIPTOR.full_name, ()))

    async def one(self, kind: type[M], test: Test = lambda _: True, **ids: str) -> M:
        """The first event of the type with that id (exactly one is given) that passes the test; waits for it."""
        ((field, value),) = ids.items()
        found: M = await self._waited(
            kind.DESCRIPTOR.full_name, lambda: self._found(kind, field, value), test, f"with {field} {value}"
        )
        return found

    def has(self, kind: type[Message], **ids: str) -> bool:
        """Whether one of the type with that id was heard."""
        ((field, value),) = ids.items()
        return bool(self._found(kind, field, value))

    def _found(self, kind: type[Message], field: str, value: str) -> Iterable[Any]:
        return self._by_id.get((kind.DESCRIPTOR.full_name, field, value), ())

    async def all_of_now(self) -> None:
        """Until all that stands on the topics at this moment was read; its last records may be repeats, which nobody hears."""
        for service in SERVICES:
            source = source_of(self._bus)
            try:
                ends = await source.end_offsets(events_topic(service))
            finally:
                await source.close()
            await self._read_up_to(service, ends)

    async def _read_up_to(self, service: str, ends: Mapping[int, int]) -> None:
        behind: list[str] = []
        try:
            async with asyncio.timeout(self._wait_s):
                while behind := self._behind(service, ends):
                    self.ended()
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise Unexpected(f"not heard after {self._wait_s:.0f} s: {', '.join(behind)}") from None

    def _behind(self, service: str, ends: Mapping[int, int]) -> list[str]:
        topic, read = events_topic(service), self._read[service].positions
        at = {part: read[topic, part].next_offset if (topic, part) in read else 0 for part in ends}
        return [f"{topic}[{part}] read to {at[part]} of {end}" for part, end in ends.items() if at[part] < end]

    async def _waited(self, name: str, found: Callable[[], Iterable[Any]], test: Test, what: str) -> Any:
        try:
            async with asyncio.timeout(self._wait_s):
                while True:
                    for match in filter(test, found()):
                        return match
                    await self._more(name)
        except TimeoutError:
            raise Unexpected(f"waited {self._wait_s:.0f} s for {name} {what}; it did not come") from None

    async def _more(self, name: str) -> None:
        """Until another event of the type is there; what ended the subscription is raised here."""
        waiting = asyncio.ensure_future(self._woken[name].wait())
        await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self.ended()

    async def number(self, kind: type[M], count: int) -> list[M]:
        """All of a type once there are `count` of them."""
        name = kind.DESCRIPTOR.full_name
        await self._waited(name, lambda: self.every(kind)[count - 1 : count], lambda _: True, f"number {count}")
        return self.every(kind)
