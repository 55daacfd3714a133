"""What metrics is told from outside, beside what every service is."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from kernel.runtime.settings import Port, Settings
from services.metrics.domain.attribution import DEFAULT_WINDOW_S, MAX_WINDOW_S
from services.metrics.domain.coupon import COUPONS_PER_BRAND
from services.metrics.domain.engagement import MAX_VALUE
from services.metrics.domain.link.link import LINKS_PER_BRAND
from services.metrics.domain.order.worth import ORDER_LIMIT_MAJOR
from services.metrics.domain.site.site import SITES_PER_BRAND


class MetricsSettings(Settings):
    """Metrics' own: ports, how clicks on links count, and the live windows."""

    http_port: Port = 8105
    rpc_port: Port = 9105
    attribution_window_s: Annotated[int, Field(ge=1, le=MAX_WINDOW_S)] = DEFAULT_WINDOW_S
    """An order counts for a click at most so long before it; also how long the visitor's cookie lives."""
    click_window_s: Annotated[int, Field(ge=0, le=24 * 3600)] = 1_800
    """One visitor's requests of one link within so long after the click are that click again."""
    clicks_per_s: Annotated[float, Field(gt=0)] = 20
    """Redirects a second that one address may follow in the long run."""
    clicks_burst: Annotated[int, Field(gt=0)] = 200
    order_limit_major: Annotated[int, Field(ge=1, le=10_000_000)] = ORDER_LIMIT_MAJOR
    """The most that one order may be worth, in major units of a strong currency (domain/order/worth.py has the others)."""
    counter_limit: Annotated[int, Field(ge=1, le=MAX_VALUE)] = 20_000_000_000
    """The most that one observation may say of a counter: twenty thousand million views, more than any content has."""
    clicks_per_address: Annotated[int, Field(gt=0)] = 10
    """So many clicks of one link that one address makes in a day count as measured; the others are requests."""
    clicks_per_address_in_all: Annotated[int, Field(gt=0)] = 200
    """The same over all links."""
    requests_per_link: Annotated[int, Field(gt=0)] = 1_000
    """So many requests of one link that are no clicks (robots, reloads, previews) are kept in a day."""
    requests_per_tenant: Annotated[int, Field(gt=0)] = 20_000
    """The same over all links of one brand."""
    links_per_tenant: Annotated[int, Field(gt=0)] = LINKS_PER_BRAND
    """Tracking links that one brand may have."""
    coupons_per_tenant: Annotated[int, Field(gt=0)] = COUPONS_PER_BRAND
    """Coupons that one brand may have."""
    sites_per_tenant: Annotated[int, Field(gt=0)] = SITES_PER_BRAND
    """Hosts that one brand may claim."""
    grid_interval_s: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    """Seconds between two passes that measure creators' performance grids."""
    web_stand_in_url: str = ""
    """Development only: where hosts of a made-up world are looked up. Empty: in DNS and over HTTPS."""
    stream_group: str = "metrics-windows"
    """Faust's consumer group; another name computes the live windows anew from the start of the topic."""

    @field_validator("web_stand_in_url")
    @classmethod
    def _for_development(cls, url: str, told: ValidationInfo) -> str:
        """Whoever answers there proves every host to be anybody's."""
        if url and not told.data.get("development"):
            raise ValueError(
                "a made-up world proves nothing: leave it out, or set DANDELION_DEVELOPMENT=true for trying out"
            )
        return url
