"""A console over the platform after its story, for all tests of a file."""

from collections.abc import AsyncIterator

import pytest

from cli.platform import Embedded
from tests.kit.console import OpenConsole, open_console
from tests.kit.story import embedded_stores


@pytest.fixture(scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenConsole]:
    layout = await embedded_stores(tmp_path_factory.mktemp("platform"))
    with Embedded.start(layout.folder) as platform:
        await platform.wait()
        async with open_console(platform.layout) as opened:
            yield opened
