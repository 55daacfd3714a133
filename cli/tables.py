"""Tables on stdout: the demo's returns, books, events and times; the addresses of a running platform."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.layout import Layout
from cli.story.finale import Finale
from cli.story.market import AUDITOR, FINANCE, OPERATOR, REVIEWER, Who, named
from cli.story.plan import BRANDS
from console.assets import can_serve
from kernel.core.money import written

TOP_CREATORS = 5
WIDTH = 140
TOKEN_S = 8 * 3_600


def wide(least: int = WIDTH) -> Console:
    """stdout, never narrower than the tables."""
    console = Console()
    return console if console.width >= least else Console(width=least)


def table_of(title: str, *columns: str, left: int = 1) -> Table:
    """A table whose first `left` columns are words and whose others are numbers."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < left else "right", no_wrap=True)
    return table


def returns(roi: Mapping[str, Any], console: Console, all_creators: bool = False) -> None:
    """Every campaign, and under it its creators by cost."""
    columns = ("", "cost", "revenue", "ROI (roi@1)", "orders", "clicks", "engagements", "exposures", "CPE (cpe@1)")
    table = table_of("Return by campaign and creator", *columns)
    for name, answer in roi.items():
        for one in answer.roi:
            table.add_row(*_return(f"[bold]{name}", one, answer.counts))
        creators = [one for one in answer.creators if one.roi.currency]
        shown = creators if all_creators else creators[:TOP_CREATORS]
        for creator in shown:
            table.add_row(*_return(f"  {creator.creator_id}", creator.roi, creator.counts))
        if len(creators) > len(shown):
            table.add_row(f"  and {len(creators) - len(shown)} more creators")
    console.print(table)


def _return(name: str, roi: Any, counts: Any) -> tuple[str, ...]:
    return (
        name,
        f"{written(roi.cost_minor, roi.currency)} {roi.currency}",
        written(roi.revenue_minor, roi.currency),
        _percent(roi.roi),
        f"{counts.orders:,}",
        f"{counts.clicks:,}",
        f"{counts.engagements:,}",
        f"{counts.exposures:,}",
        _price(roi.cpe, roi.currency),
    )


def _percent(ratio: Any) -> str:
    return f"{ratio.value:+.1%}" if ratio.HasField("value") else "-"


def _price(ratio: Any, currency: str) -> str:
    return written(round(ratio.value), currency) if ratio.HasField("value") else "-"


def _written(currency: str, *amounts_minor: int) -> tuple[str, ...]:
    return tuple(written(minor, currency) for minor in amounts_minor)


def books(finale: Finale, console: Console) -> None:
    """The trial balance with its totals, and what `verify` looked at."""
    table = table_of("Trial balance", "account", "currency", "accounts", "debits", "credits", "balance", left=2)
    for row in finale.balance.rows:
        sums = _written(row.currency, row.debits_minor, row.credits_minor, row.balance_minor)
        table.add_row(row.account, row.currency, f"{row.accounts:,}", *sums)
    for total in finale.balance.totals:
        sums = (*_written(total.currency, total.debits_minor, total.credits_minor), "equal")
        table.add_row("[bold]total", total.currency, "", *sums)
    console.print(table)
    whole = all(check.ok for check in finale.verified.checks)
    checks = table_of("Ledger verified" if whole else "Ledger NOT verified", "check", "", "looked at", left=2)
    for check in finale.verified.checks:
        checks.add_row(check.name, "ok" if check.ok else "[red]BROKEN", f"{check.checked:,}")
    console.print(checks)


def events(counts: Mapping[str, int], console: Console) -> None:
    """Events by service and type."""
    table = table_of("Events heard through the subscriber helper", *["type", "count"] * 3)
    for column in table.columns[::2]:
        column.justify = "left"
    cells = [(name, f"{count:,}") for name, count in sorted(counts.items())]
    rows = -(-len(cells) // 3)
    for number in range(rows):
        row = [cells[number + rows * column] for column in range(3) if number + rows * column < len(cells)]
        table.add_row(*[text for pair in row for text in pair])
    console.print(table)


def times(seconds: Mapping[str, float], console: Console) -> None:
    """How long each part took."""
    table = table_of("Time", "part", "seconds")
    for name, taken in seconds.items():
        table.add_row(name, f"{taken:.1f}")
    table.add_row("[bold]together", f"{sum(seconds.values()):.1f}")
    console.print(table)


def _open(layout: Layout, console: Console) -> None:
    """Where people look at the platform, or what to do to see it."""
    if can_serve():
        console.print(f"[bold]Open {layout.http('console')}[/bold] and sign in as anybody.\n", highlight=False)
    else:
        console.print("No console: `make assets` builds its pages, then start again.\n", highlight=False)


def where(layout: Layout, console: Console) -> None:
    """URLs of a running platform, the console's first, and a development token for each role."""
    _open(layout, console)
    table = table_of("Running", "service", "HTTP", "gRPC", left=3)
    for name in layout.ports.http:
        table.add_row(name, layout.http(name), layout.rpc(name))
    table.add_row("sandbox", layout.http("sandbox"), "")
    console.print(table)
    console.print(f"events: {layout.stores.bus}", highlight=False)
    console.print(f"data: {layout.folder}; `dandelion ps` lists the processes", highlight=False, soft_wrap=True)
    issuer = layout.issuer()
    brand = next(iter(BRANDS.values()))
    creator = Who("clara", named("creator", "clara"), "creator")
    console.print(f"\ndevelopment tokens, good for {TOKEN_S // 3_600} hours (tenant in brackets):", highlight=False)
    for who in (brand, creator, REVIEWER, FINANCE, OPERATOR, AUDITOR):
        token = issuer.issue(who.name, who.tenant, who.role, ttl_s=TOKEN_S)
        console.print(f"{who.role} ({who.tenant}):\n{token}", highlight=False, soft_wrap=True)
    console.file.flush()
