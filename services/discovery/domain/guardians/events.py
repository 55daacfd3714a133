"""What happened to a guardian's consent. Stored for ever. Who the guardian is stays private; the bar on work is public."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.personal import PersonalData


class Relation(StrEnum):
    """What a guardian is to the creator."""

    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class GuardianConsented:
    """`evidence_sha256` is of the signed form, which the platform does not keep; `text_version` is of what was signed."""

    guardian: Annotated[str, Asked(Len(1, 80)), PersonalData()]
    relation: Relation
    evidence_sha256: str
    text_version: str
    consented_at: datetime


@dataclass(frozen=True, slots=True)
class GuardianConsentWithdrawn:
    """From now on nothing new is agreed; what was agreed before stands."""


@dataclass(frozen=True, slots=True)
class OfferBarChanged:
    """Whether new work may be agreed with the creator. The reason is nobody's but the creator's: no other service has it."""

    barred: bool


GuardianEvent = GuardianConsented | GuardianConsentWithdrawn | OfferBarChanged
