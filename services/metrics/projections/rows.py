"""What the projections of metrics have in common."""

from typing import Any

from kernel.core.ids import role_reader
from services.metrics.tables import STAFF_ROLES

Row = dict[str, Any]
STAFF = tuple(map(role_reader, STAFF_ROLES))
"""Who reads every row beside the parties."""
