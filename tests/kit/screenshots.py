"""`make screenshots`: tells the story on a platform of its own and writes the pictures of README.md and docs/console.md.

`python -m tests.kit.screenshots FOLDER` takes them of a platform that runs there already (see tests/kit/console.py).
"""

import asyncio
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page

from cli.layout import Layout
from cli.platform import Embedded
from cli.story.plan import DEALS
from tests.kit.axe import context_of
from tests.kit.browser import opened_browser
from tests.kit.console import OpenConsole, open_console
from tests.kit.story import tell

FOLDER = Path(__file__).parent.parent.parent / "docs" / "images"
LIMIT_BYTES = 250_000
SIZE = {"width": 1280, "height": 800}
DRAWN_MS = 1_500
"""Charts grow for a moment."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`who` opens `path`, then the first link that matches `then`, if that is given."""

    name: str
    who: str
    path: str
    then: str = ""
    lang: str = "en"

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.png"


ID = "[0-9a-f-]{36}"
FIRST = next(deal.id for deal in DEALS if deal.brand == DEALS[0].brand and any(deal.fees_minor))
PICTURES = (
    Picture("performance", "brand", f"/performance/{FIRST}"),
    Picture("performance-zh", "brand", f"/performance/{FIRST}", lang="zh-CN"),
    Picture("creators", "brand", "/creators"),
    Picture("creator", "brand", "/creators", f"/creators/{ID}$"),
    Picture("collaboration", "brand", "/collaborations", f"/collaborations/{ID}$"),
    Picture("home", "brand", "/"),
    Picture("campaign", "brand", f"/campaigns/{FIRST}/board"),
    Picture("brief", "brand", "/briefs/new"),
    Picture("money", "brand", "/money"),
    Picture("market", "creator", "/market"),
    Picture("calendar", "creator", "/calendar"),
    Picture("review", "reviewer", "/reviews?decided=1", "/reviews/."),
    Picture("rules", "reviewer", "/rules"),
    Picture("finance", "finance", "/finance"),
    Picture("operations", "operator", "/operator"),
)


async def take(browser: Browser, console: OpenConsole, picture: Picture) -> None:
    async with context_of(browser, console, picture.who, picture.lang) as context:
        page = await context.new_page()
        await page.set_viewport_size(SIZE)  # type: ignore[arg-type]
        await _go(page, picture.path)
        if picture.then:
            await _go(page, await _link(page, picture.then))
        await page.wait_for_timeout(DRAWN_MS)
        picture.file.write_bytes(await page.screenshot())
    size = picture.file.stat().st_size
    sys.stderr.write(f"{picture.file.name}: {size // 1000} kB\n")
    if size > LIMIT_BYTES:
        raise SystemExit(f"{picture.file.name} is larger than {LIMIT_BYTES // 1000} kB")


async def _go(page: Page, path: str) -> None:
    answer = await page.goto(path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{path}: {answer.status if answer else 'no answer'}")


async def _link(page: Page, pattern: str) -> str:
    links: list[str] = await page.eval_on_selector_all("main a", "(all) => all.map((one) => one.getAttribute('href'))")
    found = [link for link in links if re.search(pattern, link or "")]
    if not found:
        raise SystemExit(f"{page.url} has no link like {pattern}")
    return found[0]


async def main(folder: str = "") -> None:
    FOLDER.mkdir(exist_ok=True)
    if folder:
        await _all(Layout.load(Path(folder)))
        return
    with tempfile.TemporaryDirectory() as made, Embedded.start(Path(made) / "platform") as platform:
        await platform.wait()
        sys.stderr.write("telling the story ...\n")
        await tell(platform)
        await _all(platform.layout)


async def _all(layout: Layout) -> None:
    async with opened_browser() as browser, open_console(layout) as console:
        for picture in PICTURES:
            await take(browser, console, picture)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
