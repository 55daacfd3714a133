"""`python -m tests.kit.shots brand /campaigns out.png [en|zh-CN] [1440|390] [light|dark]`: a page of an open console."""

import asyncio
import sys
from urllib.parse import urlencode

from playwright.async_api import ConsoleMessage

from tests.kit.browser import opened_browser

BASE = "http://127.0.0.1:8199"


def _say(message: ConsoleMessage) -> None:
    sys.stderr.write(f"console: {message.type} {message.text}\n")


async def shoot(who: str, path: str, file: str, lang: str = "zh-CN", width: str = "1440", theme: str = "light") -> None:
    async with opened_browser() as browser:
        context = await browser.new_context(viewport={"width": int(width), "height": 900})
        page = await context.new_page()
        page.on("console", _say)
        query = urlencode({"next": path, "lang": lang, "theme": theme})
        answer = await page.goto(f"{BASE}/as/{who}?{query}", wait_until="load")
        await page.screenshot(path=file, full_page=True)
        sys.stderr.write(f"{answer.status if answer else '-'} {await page.title()}\n")


if __name__ == "__main__":
    asyncio.run(shoot(*sys.argv[1:]))
