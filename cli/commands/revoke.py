"""`revoke`: refuses a token, or all tokens of a subject or tenant issued before now, in all services within seconds."""

import argparse
import asyncio

from cli.layout import Layout
from cli.open_services import open_services
from cli.tables import wide
from kernel.core.clock import system_clock
from kernel.host.revocations import KINDS, revoke

KIND_OF = dict(zip(("jti", "subject", "tenant"), KINDS, strict=True))


def revoke_(given: argparse.Namespace) -> int:
    """0 once every service's database has it."""
    return asyncio.run(_revoke(Layout.load(given.data), KIND_OF[given.what], given.name, given.reason))


async def _revoke(layout: Layout, kind: str, name: str, reason: str) -> int:
    before = system_clock()
    async with open_services(layout) as apps:
        for app in apps:
            await revoke(app.database, kind, name, before, reason)
    wide().print(f"revoked: {kind} {name}, issued before {before.isoformat()}", highlight=False)
    return 0
