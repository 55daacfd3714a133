"""The charts of an open performance page, read by the tables behind them."""

from tests.console.reckoned import Numbers, summed
from tests.kit.clicking import Person
from tests.kit.until import until


async def comes_to(brand: Person, numbers: Numbers) -> None:
    """Until the curve's minutes and the funnel's steps sum up to what has happened."""

    async def there() -> bool:
        return (await _curve(brand), await _funnel(brand)) == (numbers.curve, numbers.funnel)

    try:
        await until(there)
    except TimeoutError as error:
        error.add_note(f"{await _curve(brand)}, {await _funnel(brand)}, {await brand.figures()}")
        raise


async def _curve(brand: Person) -> list[int]:
    place = "[data-chart-place='over-time'] table"
    if not await brand.main().locator(place).count():
        return []
    return [summed(column) for column in list(zip(*await brand.rows(place), strict=True))[1:]]


async def _funnel(brand: Person) -> list[int]:
    return [summed([row[1]]) for row in await brand.rows("[data-chart-place='funnel'] table")]
