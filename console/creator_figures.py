"""Charts of one creator: who its audience is, and its followers through time."""

from collections import defaultdict
from collections.abc import Sequence

from dandelion.common.v1.common_pb2 import Platform
from dandelion.discovery.v1.events_pb2 import AudienceReported
from dandelion.discovery.v1.measured_pb2 import FollowerPoint
from dandelion.discovery.v1.queries_pb2 import Creator

from console.look.charts import Chart, Series, bars, lines
from console.page import SignedIn
from console.words import mark
from console.words.enums import label

BARS = 8
"""Values of a dimension that are drawn; the table has the rest."""
DIMENSIONS = {
    "gender": mark("Gender"),
    "age_band": mark("Age"),
    "location": mark("Place"),
    "interest": mark("Interest"),
    "device": mark("Device"),
    "active_hour": mark("Active hour"),
}
WORDS = {
    "female": mark("Women"),
    "male": mark("Men"),
    "other": mark("Other"),
    "unknown": mark("Unknown"),
}


def audience_charts(page: SignedIn, creator: Creator) -> list[tuple[AudienceReported, list[Chart]]]:
    """Each report with a chart for each of its dimensions."""
    return [(report, list(_charts(page, report))) for report in creator.audience]


def _charts(page: SignedIn, report: AudienceReported) -> list[Chart]:
    shares: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for one in report.shares:
        shares[one.dimension].append((one.value, one.share_bps))
    return [_chart(page, name, shares[name]) for name in DIMENSIONS if name in shares]


def _chart(page: SignedIn, name: str, found: list[tuple[str, int]]) -> Chart:
    """The largest shares; bands of ages and hours stay in their own order."""
    ordered = (
        sorted(found, key=lambda one: (not one[0].startswith("<"), one[0]))
        if name in ("age_band", "active_hour")
        else sorted(found, key=lambda one: -one[1])
    )
    told = [(page.words(WORDS.get(value, value)), share / 100) for value, share in ordered[:BARS]]
    title = page.words(DIMENSIONS[name])
    series = [Series(page.words(mark("Share, %")), [share for _, share in told])]
    return bars(title, title, [value for value, _ in told], series, "%", lambda value: page.formats.number(value, 1))


def followers_chart(page: SignedIn, points: Sequence[FollowerPoint]) -> Chart | None:
    """Followers by platform, as they were reported; None with fewer than two days."""
    reports: dict[int, dict[str, int]] = defaultdict(dict)
    for point in points:
        reports[point.platform][page.formats.day(point.observed_at)] = point.followers
    days = list(dict.fromkeys(page.formats.day(point.observed_at) for point in points))
    if len(days) < 2:
        return None
    series = [
        Series(page.words(label(Platform.DESCRIPTOR, platform)), [found.get(day) for day in days])
        for platform, found in sorted(reports.items())
    ]
    title, unit = page.words(mark("Followers over time")), page.words(mark("followers"))
    return lines(title, page.words(mark("Day")), days, series, unit, page.formats.number)
