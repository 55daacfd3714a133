"""Where a tracking link may lead: to a host that its brand has proven, or to a post on a platform that everybody knows."""

from urllib.parse import urlsplit

from dandelion_posts.addresses import is_post_address

from kernel.core.decider import Context
from kernel.core.faults import Refused
from services.metrics.domain.site.events import Outcome, SiteStatus
from services.metrics.domain.site.hosts import above, checked_target_host
from services.metrics.domain.site.site import SITES

DO = "claim the host (PUT /sites/{host}), publish its proof, and send the same again once the site is proven"


def check_target(url: str, brand_id: str, context: Context) -> None:
    """A link of the platform lends the platform's name to where it leads: raises Refused `link.site_not_proven`."""
    if is_post_address(url):
        return
    host = checked_target_host(urlsplit(url).hostname)
    for name in above(host):
        row = context.rows.get(SITES, (brand_id, name))
        if row is not None and row.status == SiteStatus.PROVEN and (name == host or row.covers == Outcome.DOMAIN):
            return
    raise Refused("link.site_not_proven", host=host, do=DO)
