"""The left rail: each room of pages has an entry, shown to the roles that may open the room."""

from dataclasses import dataclass

from console.words import mark

BRANDS, CREATORS = frozenset({"brand", "agency"}), frozenset({"creator"})
STAFF = frozenset({"operator", "reviewer", "finance", "auditor"})
ALL = BRANDS | CREATORS | STAFF
WATCHERS = frozenset({"operator", "auditor"})
"""Who sees how the services run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A room of pages: where it begins, its name, its icon, who may open it."""

    path: str
    label: str
    icon: str
    roles: frozenset[str]

    def is_current(self, path: str) -> bool:
        return path == self.path or (self.path != "/" and path.startswith(self.path + "/"))


@dataclass(frozen=True, slots=True)
class Search:
    """Where the command palette looks for what was typed."""

    to: str
    label: str
    icon: str
    roles: frozenset[str]


ENTRIES = (
    Entry("/", mark("Home"), "house", ALL),
    Entry("/campaigns", mark("Campaigns"), "megaphone", BRANDS),
    Entry("/creators", mark("Creators"), "users", BRANDS | STAFF),
    Entry("/planner", mark("Planner"), "scale", BRANDS | STAFF),
    Entry("/market", mark("Market"), "compass", CREATORS),
    Entry("/applications", mark("Offers"), "mail", ALL),
    Entry("/collaborations", mark("Collaborations"), "handshake", ALL),
    Entry("/calendar", mark("Calendar"), "calendar", ALL),
    Entry("/performance", mark("Performance"), "chart-line", ALL),
    Entry("/reviews", mark("Reviews"), "shield-check", frozenset({"reviewer", "operator", "auditor"})),
    Entry("/authenticity", mark("Authenticity"), "badge-check", frozenset({"reviewer", "operator", "auditor"})),
    Entry("/money", mark("Money"), "wallet", BRANDS | CREATORS),
    Entry("/finance", mark("Finance"), "landmark", frozenset({"finance", "operator", "auditor"})),
    Entry("/disputes", mark("Disputes"), "gavel", frozenset({"operator", "reviewer", "auditor"})),
    Entry("/rules", mark("Rules"), "book-open", ALL - {"finance"}),
    Entry("/erasures", mark("Erasures"), "user", frozenset({"operator", "auditor"})),
    Entry("/profile", mark("My profile"), "user", CREATORS),
    Entry("/operator", mark("Operations"), "server", WATCHERS),
    Entry("/documentation", mark("API"), "link", ALL),
)
"""In the order of the rail. A room's entry comes with its first page: no entry leads to nothing."""
SEARCHES: tuple[Search, ...] = (
    Search("/creators?text=", mark("Look for creators:"), "user-round-search", BRANDS | STAFF),
)


def menu(roles: frozenset[str]) -> list[Entry]:
    return [one for one in ENTRIES if not one.roles.isdisjoint(roles)]


def searches(roles: frozenset[str]) -> list[Search]:
    return [one for one in SEARCHES if not one.roles.isdisjoint(roles)]
