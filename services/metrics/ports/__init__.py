"""The world outside as metrics needs it: the TXT records of a name, and one file of a host.

What a brand's host answers is the brand's own matter, so it is always a verdict and never an error of the platform: a proof, no
proof, or silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.metrics.domain.site.events import Outcome

RECORD = "_dandelion"
"""The proof stands in a TXT record of this name below the host."""
FILE = "/.well-known/dandelion-site.txt"
PAGE_BYTES = 1_024
"""A file of one line: what is longer is none."""
ANSWER_S = 10.0
"""Of a whole look-up, whatever comes in between."""
RECORDS = 100
SILENT_STATUS = frozenset({408, 425, 429})


class Silent(Exception):
    """No answer in time, or none that says anything of the host."""


class Refusal(Exception):
    """The host answers with what is never read; the text is a code."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer over HTTPS; no redirect was followed."""

    status: int
    body: bytes


class Web(Protocol):
    """Looks things up."""

    async def txt(self, name: str) -> Sequence[str]:
        """The TXT records of a name, none where there is no such name; raises Silent."""
        ...

    async def page(self, host: str, path: str) -> Page:
        """`https://<host><path>`, at most PAGE_BYTES of it; raises Silent, and Refusal for a host at no public address and for
        a longer body."""
        ...


async def look_for(web: Web, host: str, proof: str) -> tuple[Outcome, str]:
    """What the host proves, and the code of what was found where it proves nothing."""
    in_dns = await _in_dns(web, host, proof)
    if in_dns[0] is Outcome.DOMAIN:
        return in_dns
    in_file = await _in_file(web, host, proof)
    if in_file[0] is Outcome.HOST:
        return in_file
    silent = [found for found in (in_dns, in_file) if found[0] is Outcome.UNANSWERED]
    told = [found for found in (in_file, in_dns) if found[1] not in ("site.no_record", "site.no_page")]
    return (silent or told or [in_dns])[0]


async def _in_dns(web: Web, host: str, proof: str) -> tuple[Outcome, str]:
    try:
        records = await web.txt(f"{RECORD}.{host}")
    except Silent:
        return Outcome.UNANSWERED, "site.dns_silent"
    if any(record.strip() == proof for record in records[:RECORDS]):
        return Outcome.DOMAIN, ""
    return Outcome.ABSENT, "site.other_record" if records else "site.no_record"


async def _in_file(web: Web, host: str, proof: str) -> tuple[Outcome, str]:
    try:
        page = await web.page(host, FILE)
    except Silent:
        return Outcome.UNANSWERED, "site.host_silent"
    except Refusal as refused:
        return Outcome.ABSENT, str(refused)
    if page.status in SILENT_STATUS or page.status >= 500:
        return Outcome.UNANSWERED, "site.host_busy"
    if 300 <= page.status < 400:
        return Outcome.ABSENT, "site.page_redirects"
    if page.status != 200:
        return Outcome.ABSENT, "site.no_page"
    same = page.body.strip() == proof.encode()
    return (Outcome.HOST, "") if same else (Outcome.ABSENT, "site.other_page")
