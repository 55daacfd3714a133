"""What was measured of one creator, as its page shows it: the grid with its switches, and how it works with brands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dandelion.common.v1.common_pb2 import TRAFFIC_ORGANIC, Format
from dandelion.discovery.v1.measured_pb2 import (
    CELL_PURPOSE_REPORTED,
    CellPurpose,
    CountedRate,
    GetCreatorFiguresResponse,
    MeasuredCell,
    PlacedFigure,
    Reliability,
)

from console.look.charts import Chart, Series, bars
from console.page import SignedIn
from console.words import mark
from console.words.enums import label

WINDOWS = ("30", "90")
REACHES = {"all": mark("All traffic"), "organic": mark("Organic only")}
RATES = {
    "replies_in_48h": (mark("Answers within 48 hours"), mark("invitations that were answered or ran out")),
    "on_time": (mark("In time"), mark("deliverables that were published or ran out")),
    "revisions": (mark("Revisions asked for"), mark("deliverables that were published")),
    "cancellations": (mark("Cancelled by the creator"), mark("contracts")),
    "disputes": (mark("Disputes"), mark("contracts")),
}
LIKE_SHARES: Sequence[Literal["hundred_like_share", "thousand_like_share"]] = (
    "hundred_like_share",
    "thousand_like_share",
)


@dataclass(frozen=True, slots=True)
class Switch:
    """A value of a switch, the address that sets it, and whether it is set."""

    told: str
    address: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one window and reach, the switches above them, and a chart of their reads where there is more than one."""

    windows: Sequence[Switch]
    reaches: Sequence[Switch]
    cells: Sequence[MeasuredCell]
    chart: Chart | None

    @property
    def like_shares(self) -> Sequence[str]:
        """The shares of posts with so many likes, both or none: own posts alone have them, reports of a platform do not."""
        return LIKE_SHARES if any(cell.HasField(name) for cell in self.cells for name in LIKE_SHARES) else ()


@dataclass(frozen=True, slots=True)
class Line:
    """One rate in words: what it says, of what, and its counts."""

    told: str
    of: str
    counted: CountedRate


def grid_of(page: SignedIn, found: GetCreatorFiguresResponse) -> Grid:
    """What the address asks for; an unknown value is the first."""
    asked = page.request.query_params
    window = asked.get("window") if asked.get("window") in WINDOWS else WINDOWS[0]
    reach = asked.get("reach") if asked.get("reach") in REACHES else "all"
    windows = [
        Switch(page.words(mark("{days} days"), days=days), f"?window={days}&reach={reach}#performance", days == window)
        for days in WINDOWS
    ]
    reaches = [
        Switch(page.words(told), f"?window={window}&reach={name}#performance", name == reach)
        for name, told in REACHES.items()
    ]
    cells = [cell for cell in found.cells if _is_asked(cell, int(window or 0), reach == "organic")]
    return Grid(windows, reaches, cells, _chart(page, cells))


def _is_asked(cell: MeasuredCell, days: int, organic: bool) -> bool:
    return cell.window_days == days and (cell.traffic == TRAFFIC_ORGANIC) is organic


def _chart(page: SignedIn, cells: Iterable[MeasuredCell]) -> Chart | None:
    """Measured cells only; a median that was not measured is a gap."""
    drawn = [cell for cell in cells if cell.purpose != CELL_PURPOSE_REPORTED]
    if len(drawn) < 2:
        return None
    places = [
        f"{page.words(label(CellPurpose.DESCRIPTOR, one.purpose))} · {page.words(label(Format.DESCRIPTOR, one.format))}"
        for one in drawn
    ]
    named = {"exposures": mark("Exposures"), "reads": mark("Reads"), "engagements": mark("Engagements")}
    series = [Series(page.words(told), [_median(one, name) for one in drawn]) for name, told in named.items()]
    title = page.words(mark("Medians of one piece of content"))
    return bars(title, page.words(mark("Content")), places, series, page.words(mark("people")), page.formats.number)


def _median(cell: MeasuredCell, name: str) -> int | None:
    found: PlacedFigure = getattr(cell, name)
    return found.value if cell.HasField(name) else None  # type: ignore[arg-type]


def lines_of(page: SignedIn, found: Reliability) -> list[Line]:
    """Every rate, also those that rest on nothing yet."""
    return [Line(page.words(told), page.words(of), getattr(found, name)) for name, (told, of) in RATES.items()]
