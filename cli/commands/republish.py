"""`republish`: sends a topic's messages again from its service's log, beside a running platform; consumers skip repeats."""

import argparse
import asyncio

from rich.console import Console
from rich.progress import Progress

from cli.layout import Layout, running
from cli.open_services import open_services
from cli.story.tell import COLUMNS
from kernel.adapters.bus import PARTITIONS
from kernel.host.app import App
from kernel.streams.relay import Relay
from kernel.streams.republish import check_topic, is_past_end, republish_topic, reset_guards


def republish(given: argparse.Namespace) -> int:
    """0 when all was sent; 2 when it cannot be done now, with the step that must come first."""
    layout, console = Layout.load(given.data), Console(stderr=True, soft_wrap=True)
    if layout.stores.bus.startswith("local:") and running(layout.folder):
        console.print("an embedded platform has its bus for itself: `down` first")
        return 2
    return asyncio.run(_republish(layout, given.service, given.topic, given.recreated, console))


async def _republish(layout: Layout, service: str, topic: str | None, recreated: bool, console: Console) -> int:
    topic = topic or f"{service}.events.v1"
    check_topic(service, topic)
    async with open_services(layout) as apps:
        await apps[0].bus.ensure_topics({topic: PARTITIONS})
        if recreated:
            moved = sum([await reset_guards(app.database, topic) for app in apps])
            console.print(f"{topic}: {moved} guards reset to its start", highlight=False)
        elif past := [app.service.name for app in apps if await is_past_end(app.database, app.bus, topic)]:
            console.print(f"{topic} was recreated: guards of {', '.join(past)} are past its end; say --recreated")
            return 2
        (app,) = [app for app in apps if app.service.name == service]
        sent = await _sent(app, topic, console)
        console.print(f"{topic}: {sent:,} messages sent again, the relay sends the rest", highlight=False)
    return 0


async def _sent(app: App, topic: str, console: Console) -> int:
    """The number of messages that were sent again."""
    relay = Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish)
    with Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task(f"{app.service.name} to {topic}", total=None)
        return await republish_topic(
            relay, app.log, app.bus, topic, lambda at, end: progress.update(task, completed=at, total=end)
        )  # fmt: skip
