"""Who is signed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A person of an organisation, as the access token says; the services decide by the token, the pages by the roles."""

    subject: str
    name: str
    tenant: str
    roles: frozenset[str]
    token: str
