"""The event that funding, review and settlement share: a request that came back refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A request came back refused. Where nothing has to be undone, the clocks of the collaboration go on."""

    command_id: str
    command: str
    code: str
