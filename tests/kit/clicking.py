"""Somebody at a browser who clicks, fills in and reads; a refusal on the way is an error that quotes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tools.speed import patience

FIGURES = """(within) => Object.fromEntries([...within.querySelectorAll("dl.figures > div")].map((one) =>
  [one.querySelector("dt").textContent.trim(), one.querySelector("dd").firstChild.textContent.trim()]))"""
ROWS = """(table) => [...table.querySelectorAll("tbody tr, :scope > tr")].map((row) =>
  [...row.cells].map((cell) => (cell.innerText || cell.textContent).trim().replace(/\\s+/g, " ")))"""


@dataclass
class Person:
    """A page and what one does on it."""

    page: Page

    async def go(self, path: str) -> None:
        answer = await self.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    async def press(self, name: str, within: str = "main") -> None:
        await self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()
        await self._arrived()

    async def follow(self, name: str, within: str = "main") -> None:
        await self.page.locator(within).get_by_role("link", name=name).first.click()
        await self._arrived()

    async def fill(self, values: Mapping[str, str]) -> None:
        """Types into the first field of each name; of a list chooses the value."""
        for name, value in values.items():
            field = self.page.locator(f"[name='{name}']").first
            if await field.evaluate("(one) => one.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)

    async def tick(self, name: str) -> None:
        await self.page.locator(f"[name='{name}']").first.check()

    async def unfold(self, name: str) -> None:
        await self.page.locator("summary", has_text=name).first.click()

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await expect(self.main()).to_contain_text(text)

    async def waits_for(self, text: str) -> None:
        """Loads the page again until it says so."""
        for _ in range(int(patience(40))):
            if text in await self.main().inner_text():
                return
            await self.page.wait_for_timeout(1_000)
            await self.page.reload()
        raise AssertionError(f"{self.page.url} does not say {text!r}: {(await self.main().inner_text())[:1_500]}")

    async def figures(self) -> dict[str, str]:
        """The large numbers of the page by their names."""
        found: dict[str, str] = await self.main().evaluate(FIGURES)
        return found

    async def rows(self, table: str = "table") -> list[list[str]]:
        """Cells of the first such table, row by row."""
        found: list[list[str]] = await self.main().locator(table).first.evaluate(ROWS)
        return found

    def main(self) -> Locator:
        return self.page.locator("main")

    async def _arrived(self) -> None:
        await self.page.wait_for_load_state("load")
        alert = self.main().locator("[role=alert]")
        assert await alert.count() == 0, f"{self.page.url}: {await alert.first.inner_text()}"
