"""Hosts of the world: what stands in their DNS and in one of their files. They fail as real ones do, when they are told to."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.store import Store

Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9.-]+$")]
HUGE = 100_000


class Fault(StrEnum):
    """What may be wrong with a host."""

    NONE = ""
    SILENT = "silent"
    """Neither its name servers nor the host answer."""
    BUSY = "busy"
    REDIRECT = "redirect"
    """It sends everybody elsewhere, where the proof may well stand."""
    HUGE = "huge"
    PRIVATE = "private"
    """Its name leads to an address that is not public."""


class Standing(BaseModel):
    """`record` is the TXT record below the host, `file` the content of its file; "" for none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    record: Annotated[str, Field(max_length=500)] = ""
    file: Annotated[str, Field(max_length=2_000)] = ""
    fault: Annotated[Fault, Field(strict=False)] = Fault.NONE


@dataclass(frozen=True, slots=True)
class Website:
    """A host as it stands."""

    record: str = ""
    file: str = ""
    fault: Fault = Fault.NONE

    def records(self) -> list[str]:
        if self.fault is Fault.SILENT:
            raise HTTPException(504, "no name server answers")
        return [self.record] if self.record else []

    def page(self) -> dict[str, Any]:
        if self.fault is Fault.SILENT:
            raise HTTPException(504, "the host does not answer")
        refused = "site.address_not_public" if self.fault is Fault.PRIVATE else ""
        body = self.file * (1 + HUGE // max(1, len(self.file))) if self.fault is Fault.HUGE else self.file
        status = {Fault.BUSY: 503, Fault.REDIRECT: 302}.get(self.fault, 200 if self.file else 404)
        return {"status": status, "body": body if status == 200 else "", "refused": refused}


def _read(saved: dict[str, str]) -> Website:
    return Website(saved["record"], saved["file"], Fault(saved["fault"]))


def router(store: Store) -> APIRouter:
    """`/web`: a name that nobody has put here does not exist."""
    hosts: Bounded[Website] = Bounded(shelf=store.shelf("host", asdict, _read))
    made = APIRouter(prefix="/web", tags=["hosts of the world"])

    @made.put("/hosts/{host}", status_code=204)
    async def put(host: Host, standing: Standing) -> None:
        """Puts a host there, or changes what stands there."""
        hosts.put(host, Website(**standing.model_dump()))

    @made.get("/txt")
    async def txt(name: Annotated[str, Field(max_length=300)]) -> dict[str, Any]:
        """TXT records, of names below a host that begin with an underscore only."""
        label, _, host = name.partition(".")
        known = hosts.get(host) if label.startswith("_") else None
        return {"records": known.records() if known else []}

    @made.get("/page")
    async def page(host: Host, path: Annotated[str, Field(max_length=300)]) -> dict[str, Any]:
        """The host's one file; a host that is not there has no address."""
        known = hosts.get(host)
        if known is None:
            return {"status": 0, "body": "", "refused": "site.no_address"}
        return known.page()

    return made
