"""Debian's Chromium, driven by Playwright: no request of the browser's own leaves the machine."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
)  # fmt: skip


class NoBrowser(Exception):
    """No Chromium on the PATH; the text says what to do."""


def executable() -> str:
    """Path of the browser; raises NoBrowser."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser("no Chromium here: `make tools` installs it (Debian, as root), or put one on the PATH")
    return found


@asynccontextmanager
async def opened_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()
