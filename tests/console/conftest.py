"""A console over the platform after its story, and a browser, for all tests of a file."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from cli.platform import Embedded
from console import assets
from tests.kit.browser import NoBrowser, executable, opened_browser
from tests.kit.console import OpenConsole, open_console
from tests.kit.required import without
from tests.kit.story import embedded_stores

NEEDED = "browser"
"""The name in DANDELION_REQUIRE for a Chromium and for the assets that it shows."""


@pytest.fixture(scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenConsole]:
    """Skips, or fails where a browser is required, without assets."""
    try:
        assets.names()
    except assets.NotBuilt as reason:
        without(NEEDED, reason)
    layout = await embedded_stores(tmp_path_factory.mktemp("platform"))
    with Embedded.start(layout.folder) as platform:
        await platform.wait()
        async with open_console(platform.layout) as opened:
            yield opened


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for a file's tests; each test opens contexts of its own, which are cheap."""
    try:
        executable()
    except NoBrowser as reason:
        without(NEEDED, reason)
    async with opened_browser() as opened:
        yield opened
