"""Profiles of the social platform: accounts with a bio that their owner edits; looks are paced, and some meet a busy platform."""

from dataclasses import asdict, dataclass
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.settings import SandboxSettings
from sandbox.store import Store

Name = Annotated[str, InPath(min_length=1, max_length=100)]


class Bio(BaseModel):
    """`closed`: the account is gone, looks answer 410."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bio: Annotated[str, Field(max_length=2_000)]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    bio: str
    closed: bool = False


class Profiles:
    """The platform's profiles by platform and handle, bounded, and kept in the store."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings, self._chance = settings, Chance(settings.seed)
        self._profiles: Bounded[Profile] = Bounded(shelf=store.shelf("profile", asdict, lambda saved: Profile(**saved)))
        self._looked: Bounded[bool] = Bounded(shelf=store.shelf("profile_looked", bool, bool))
        self._second, self._looks = 0, 0

    def write(self, place: str, bio: Bio) -> Profile:
        profile = Profile(bio.bio, bio.closed)
        self._profiles.put(place, profile)
        return profile

    def look(self, place: str) -> Profile:
        """Paced: 429 beyond so many looks in a second. Some first looks meet a busy platform."""
        self._pace()
        first = self._looked.get(place) is None
        self._looked.put(place, True)
        if first and self._chance.hits(place, "busy", self._settings.platform_busy_bps):
            raise HTTPException(503, "busy")
        profile = self._profiles.get(place)
        if profile is None:
            raise HTTPException(404, "no such account")
        if profile.closed:
            raise HTTPException(410, "the account was closed")
        return profile

    def _pace(self) -> None:
        second = int(monotonic())
        self._looks = self._looks + 1 if second == self._second else 1
        self._second = second
        if self._looks > self._settings.profile_looks_a_second:
            raise HTTPException(429, "too many looks", headers={"Retry-After": "1"})


def router(settings: SandboxSettings, store: Store) -> APIRouter:
    """`/platform/profiles`."""
    profiles = Profiles(settings, store)
    made = APIRouter(prefix="/platform/profiles", tags=["social platform"])

    @made.get("/{platform}/{handle}")
    async def look(platform: Name, handle: Name) -> dict[str, Any]:
        """The profile as everybody sees it; 404 never there, 410 closed, 429 too many looks."""
        return {"platform": platform, "handle": handle, "bio": profiles.look(f"{platform}/{handle}").bio}

    @made.put("/{platform}/{handle}")
    async def write(platform: Name, handle: Name, bio: Bio) -> dict[str, Any]:
        """What the account's owner does on the platform: writes the bio, or closes the account."""
        return asdict(profiles.write(f"{platform}/{handle}", bio))

    return made
