"""What people wrote is text on every page, also where a catalog is asked for its word."""

from tests.console.test_deal import platform_of, published
from tests.kit.console import OpenConsole
from tests.kit.pages import opened


async def test_a_word_of_a_brand_s_own_is_a_word_on_every_page(console: OpenConsole) -> None:
    """A category that no catalog has: the editor's list holds none, another client may send one."""
    async with console.visitor("brand") as brand, console.visitor("creator") as creator:
        where = await platform_of(creator)
        campaign_id = await published(brand, **where, **{"brief.product_category": "<b>candles</b> & more"})
        pages = [
            *[
                await opened(brand, path)
                for path in (f"/campaigns/{campaign_id}/brief", f"/briefs/{campaign_id}", "/campaigns")
            ],
            *[await opened(creator, path) for path in (f"/market/{campaign_id}", "/market")],
        ]
    assert all("<b>candles" not in page.answer.text for page in pages)
    assert "<b>candles</b> & more" in pages[3].text
