"""The web that metrics looks at, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.metrics.ports import Page, Silent


@dataclass
class FakeWeb:
    """The web in memory: hosts with a TXT record, a file, or a fault, which is raised."""

    records: dict[str, str] = field(default_factory=dict)
    files: dict[str, Page] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)

    async def txt(self, name: str) -> Sequence[str]:
        host = name.removeprefix("_dandelion.")
        if isinstance(fault := self.faults.get(host), Silent):
            raise fault
        return [one for one in (self.records.get(host, ""),) if one]

    async def page(self, host: str, path: str) -> Page:
        if fault := self.faults.get(host):
            raise fault
        return self.files.get(host, Page(404, b""))
