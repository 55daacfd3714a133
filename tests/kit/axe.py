"""Pages in a browser as people and their tools meet them: what axe finds, what the browser complains of, where requests go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from console.assets import FOLDER
from tests.kit.console import OpenConsole
from tools.speed import patience

AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIND = """async (tags) => {
  const told = await axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: tags}});
  return told.violations.filter((one) => ["serious", "critical"].includes(one.impact)).flatMap((one) =>
    one.nodes.slice(0, 3).map((node) => `${one.impact} ${one.id}: ${node.html.slice(0, 160)} ` +
      ((node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? "")));
}"""
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SCROLLS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDEST = """() => [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


@dataclass
class Watched:
    """A page whose complaints and requests are kept."""

    page: Page
    host: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.on("request", self._on_request)
        self.page.set_default_timeout(patience(15) * 1000)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"script: {error.message}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.host:
            self.complaints.append(f"a request to {request.url}")

    async def opened(self, path: str) -> int:
        """Status of the page at a path."""
        answer = await self.page.goto(path, wait_until="load")
        return answer.status if answer else 0

    async def found(self) -> list[str]:
        """Serious and critical findings of axe on the page as it is now."""
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(_axe())
        found: list[str] = await self.page.evaluate(FIND, TAGS)
        return found

    async def turned(self, theme: str, size: dict[str, int]) -> None:
        """The same page in other colours and another width."""
        await self.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        await self.page.set_viewport_size(size)  # type: ignore[arg-type]
        await self.page.evaluate(PAINTED)

    async def too_wide(self) -> list[str]:
        """What makes the page scroll sideways."""
        over: int = await self.page.evaluate(SCROLLS)
        return [f"scrolls {over} px sideways", *await self.page.evaluate(WIDEST)] if over > 0 else []


@asynccontextmanager
async def context_of(
    browser: Browser, console: OpenConsole, who: str, lang: str = "en", theme: str = "light", width: int = 1440
) -> AsyncIterator[BrowserContext]:
    """A browser's profile in which somebody is signed in."""
    context = await browser.new_context(
        base_url=console.base_url,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        locale=lang,
        timezone_id="Asia/Shanghai",
    )
    try:
        page = await context.new_page()
        await page.goto(f"/as/{who}?next=/sign-in&lang={lang}&theme={theme}")
        await page.close()
        yield context
    finally:
        await context.close()


async def watched(context: BrowserContext, console: OpenConsole) -> Watched:
    return Watched(await context.new_page(), urlsplit(console.base_url).netloc)
